using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    private static readonly TimeSpan Taken = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task What_becomes_of_a_question_is_there_to_be_sent_with_it()
    {
        var asked = await AskedAsync(Samples.Asked(demands: [StoreSamples.Demands[0]]));
        await CommitAsync(Samples.Agreed(asked.Id, "lead-1", completes: false));
        await CommitAsync(Samples.Agreed(asked.Id, "lead-2", 1));
        await CommitAsync(Samples.Redeemed(asked));
        var denied = await AskedAsync(Samples.Asked(digest: "digest-2"));
        await CommitAsync(StoreSamples.Refused(denied.Id));
        var voided = await AskedAsync(Samples.Asked(digest: "digest-3"));
        await CommitAsync(StoreSamples.Voided(voided.Id));
        var expired = await AskedAsync(Samples.Asked(digest: "digest-4"));
        Time.Advance(TimeSpan.FromMinutes(30));
        await CommitAsync(StoreSamples.Lapsed(expired.Id));
        Reopen();

        var due = await Store.Notifications.FindDueAsync(100, default);
        Assert.Equal(
            [
                (asked.Id, NotificationKind.Asked),
                (asked.Id, NotificationKind.Approved),
                (denied.Id, NotificationKind.Asked),
                (denied.Id, NotificationKind.Denied),
                (voided.Id, NotificationKind.Asked),
                (voided.Id, NotificationKind.Voided),
                (expired.Id, NotificationKind.Asked),
                (expired.Id, NotificationKind.Expired),
            ],
            due.Select(notification => (notification.ApprovalId, notification.Kind))
                .OrderBy(told =>
                    Array.IndexOf([asked.Id, denied.Id, voided.Id, expired.Id], told.ApprovalId) * 10 + (int)told.Kind
                )
        );
        Assert.Equal(due.Count, due.Select(notification => notification.Id).Distinct().Count());
        var no = due.Single(notification => notification.Kind == NotificationKind.Denied);
        Assert.Equal(("person:https://idp.example#owner-1", "not today", 0), (no.By, no.Reason, no.Attempts));
        Assert.Empty(no.SentTo);
    }

    [Fact]
    public async Task What_was_not_asked_is_not_to_be_sent()
    {
        await AskedAsync();
        var before = await Store.Notifications.FindDueAsync(100, default);
        await AssertGuardAsync(GuardFailure.AlreadyAsked, Samples.Asked());
        Assert.Equal(
            before.Select(notification => notification.Id),
            (await Store.Notifications.FindDueAsync(100, default)).Select(notification => notification.Id)
        );
    }

    [Fact]
    public async Task Who_sends_has_it_alone_until_the_time_is_over()
    {
        var one = await ToSendAsync();
        await CommitAsync(Take(one));
        await AssertGuardAsync(GuardFailure.WrongState, Take(one));
        await AssertGuardAsync(GuardFailure.WrongState, Take(one with { Attempts = 1 }));
        Assert.Empty(await Store.Notifications.FindDueAsync(100, default));

        Time.Advance(Taken);
        var lapsed = Assert.Single(await Store.Notifications.FindDueAsync(100, default));
        Assert.Equal((one.Id, 1), (lapsed.Id, lapsed.Attempts));
        await CommitAsync(Take(lapsed));
        await AssertGuardAsync(GuardFailure.WrongState, Settle(one, 1));
        await CommitAsync(Settle(lapsed, 2));
        Time.Advance(Taken);
        Assert.Empty(await Store.Notifications.FindDueAsync(100, default));
        Assert.Equal(0, await Store.Notifications.CountFailedAsync(default));
    }

    [Fact]
    public async Task What_one_address_did_not_take_is_sent_again_later_and_at_last_given_up()
    {
        var one = await ToSendAsync();
        await CommitAsync(Take(one));
        await CommitAsync(
            Settle(one, 1) with
            {
                SentTo = ["chat"],
                Error = "other: 500",
                Again = TimeSpan.FromMinutes(5),
            }
        );
        Assert.Empty(await Store.Notifications.FindDueAsync(100, default));
        Time.Advance(TimeSpan.FromMinutes(5));
        var again = Assert.Single(await Store.Notifications.FindDueAsync(100, default));
        Assert.Equal(["chat"], again.SentTo);
        Assert.Equal((one.Id, 1), (again.Id, again.Attempts));

        await CommitAsync(Take(again));
        await CommitAsync(
            Settle(again, 2) with
            {
                SentTo = ["chat"],
                Error = "other: 500",
                Event = StoreSamples.Event("notification.failed"),
            }
        );
        Time.Advance(TimeSpan.FromHours(1));
        Assert.Empty(await Store.Notifications.FindDueAsync(100, default));
        Assert.Equal(1, await Store.Notifications.CountFailedAsync(default));
        await AssertGuardAsync(GuardFailure.WrongState, Settle(again, 2));

        await DropAsync(failedBefore: Now.AddHours(-2));
        Assert.Equal(1, await Store.Notifications.CountFailedAsync(default));
        await DropAsync(failedBefore: Now);
        Assert.Equal(0, await Store.Notifications.CountFailedAsync(default));
    }

    [Fact]
    public async Task What_nobody_sends_leaves_the_store_in_the_end()
    {
        await ToSendAsync();
        Time.Advance(TimeSpan.FromHours(1));
        await DropAsync(failedBefore: Now.AddDays(-1), askedBefore: Now.AddHours(-1));
        Assert.Single(await Store.Notifications.FindDueAsync(100, default));
        await DropAsync(failedBefore: Now.AddDays(-1), askedBefore: Now);
        Assert.Empty(await Store.Notifications.FindDueAsync(100, default));
    }

    [Fact]
    public async Task What_is_put_off_again_and_again_leaves_the_store_by_when_it_happened()
    {
        var one = await ToSendAsync();
        await CommitAsync(Take(one));
        await CommitAsync(Settle(one, 1) with { Error = "other: 500", Again = TimeSpan.FromHours(1) });
        Time.Advance(TimeSpan.FromMinutes(1));
        await DropAsync(failedBefore: Now);
        Time.Advance(TimeSpan.FromHours(1));
        Assert.Empty(await Store.Notifications.FindDueAsync(100, default));
    }

    private async Task<Notification> ToSendAsync()
    {
        await AskedAsync();
        return Assert.Single(await Store.Notifications.FindDueAsync(100, default));
    }

    private async Task DropAsync(DateTimeOffset failedBefore, DateTimeOffset? askedBefore = null) =>
        await CommitAsync(
            new StateChange.NotificationsDropped
            {
                FailedBefore = failedBefore,
                AskedBefore = askedBefore ?? failedBefore,
                Limit = 10,
                Event = null,
            }
        );

    private static StateChange.NotificationTaken Take(Notification notification) =>
        new()
        {
            NotificationId = notification.Id,
            Attempts = notification.Attempts,
            For = Taken,
            Event = null,
        };

    private static StateChange.NotificationSettled Settle(Notification notification, int attempts) =>
        new()
        {
            NotificationId = notification.Id,
            Attempts = attempts,
            SentTo = ["chat", "other"],
            Error = "",
            Event = null,
        };
}
