using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    private const string Called = "https://agents.example/callback";

    [Fact]
    public async Task Whom_a_submission_names_is_told_what_becomes_of_it_with_the_change_itself()
    {
        var asking = Samples.Asked(demands: [StoreSamples.Demands[0]]);
        await CommitAsync(
            new StateChange.All([
                Naming(await NotedAsync(), asking.Approval.Id, "\"all\""),
                Naming(await NotedAsync(), asking.Approval.Id, "\"denied\"", NotificationKind.Denied),
                asking,
            ])
        );
        Assert.Empty(await CallbacksAsync());

        await CommitAsync(Samples.Agreed(asking.Approval.Id, "lead-1", completes: false));
        Assert.Empty(await CallbacksAsync());
        await CommitAsync(Samples.Agreed(asking.Approval.Id, "lead-2", 1));
        await CommitAsync(StoreSamples.Voided(asking.Approval.Id));
        Reopen();
        Assert.Equal(
            [(NotificationKind.Approved, Called, "\"all\""), (NotificationKind.Voided, Called, "\"all\"")],
            await CallbacksAsync()
        );
    }

    [Fact]
    public async Task Who_names_an_address_after_something_became_of_the_question_is_told_that_at_once()
    {
        var asking = Samples.Asked(demands: [StoreSamples.Demands[0]]);
        await CommitAsync(asking);
        await CommitAsync(Samples.Agreed(asking.Approval.Id, "lead-1", completes: false));
        await CommitAsync(Samples.Agreed(asking.Approval.Id, "lead-2", 1));
        await CommitAsync(All(Naming(await NotedAsync(), asking.Approval.Id, "1")));
        Assert.Equal([(NotificationKind.Approved, Called, "1")], await CallbacksAsync());

        await CommitAsync(StoreSamples.Voided(asking.Approval.Id));
        await CommitAsync(All(Naming(await NotedAsync(), asking.Approval.Id, "2")));
        Assert.Equal(
            [
                (NotificationKind.Approved, Called, "1"),
                (NotificationKind.Voided, Called, "1"),
                (NotificationKind.Voided, Called, "2"),
            ],
            await CallbacksAsync()
        );
    }

    [Fact]
    public async Task A_question_has_room_for_a_few_and_a_submission_that_fails_leaves_none()
    {
        var asking = Samples.Asked();
        await CommitAsync(asking);
        for (var place = 0; place < AccessCallback.MaxPerQuestion; place++)
        {
            await CommitAsync(All(Naming(await NotedAsync(), asking.Approval.Id, $"{place}")));
        }

        await AssertGuardAsync(
            GuardFailure.TooManyCallbacks,
            All(Naming(await NotedAsync(), asking.Approval.Id, "more"))
        );
        var other = Samples.Asked(digest: "digest-2");
        await CommitAsync(other);
        await AssertGuardAsync(
            GuardFailure.EvaluationNotUsable,
            All(Naming(await NotedAsync(), other.Approval.Id, "1") with { CallerKey = "another" })
        );
        await CommitAsync(StoreSamples.Refused(other.Approval.Id));
        Assert.Empty(await CallbacksAsync());
    }

    [Fact]
    public async Task That_more_people_are_asked_is_told_to_nobody_who_asked()
    {
        var asking = Samples.Asked(demands: [AfterTen]);
        await CommitAsync(new StateChange.All([Naming(await NotedAsync(), asking.Approval.Id, "\"all\""), asking]));
        Time.Advance(TimeSpan.FromMinutes(10));
        await CommitAsync(Escalated(asking.Approval.Id, 0));

        Assert.Empty(await CallbacksAsync());
        Assert.Contains(
            await Store.Notifications.FindDueAsync(100, default),
            notification => notification.Kind == NotificationKind.Escalated
        );
    }

    private StateChange.EvaluationUsed Naming(
        AccessEvaluation noted,
        string approval,
        string state,
        params NotificationKind[] events
    ) =>
        Used(noted, approval: approval) with
        {
            Callback = new()
            {
                Endpoint = Called,
                Events = events,
                State = state,
            },
        };

    private async Task<IEnumerable<(NotificationKind, string, string)>> CallbacksAsync() =>
        (await Store.Notifications.FindDueAsync(100, default))
            .Where(notification => notification.Callback is not null)
            .Select(notification => (notification.Kind, notification.Callback!.Endpoint, notification.Callback.State))
            .Order();
}
