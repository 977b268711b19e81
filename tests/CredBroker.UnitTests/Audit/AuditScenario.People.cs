using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.Retention;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Audit;

/// <content>What people are asked, say and give up.</content>
internal sealed partial class AuditScenario
{
    /// <summary>What is issued again without asking, until a person, an order or time ends it.</summary>
    private async Task GiveTimeBoxesAsync(Person lead)
    {
        await _broker.ApplyAsync(
            HarnessPolicy
                .Text(comment: "time boxes")
                .Replace(
                    "effect: allow",
                    "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m, timeBox: 1h }",
                    StringComparison.Ordinal
                )
        );
        var given = new List<string>();
        for (var task = 20; task < 23; task++)
        {
            var command = BrokerHarness.Command(task: $"t-{task}");
            var asked = Assert.IsType<ExchangeOutcome.Challenged>(await _broker.ExchangeAsync(command)).Approval;
            _broker.Time.Advance(TimeSpan.FromSeconds(10));
            await _broker.People.AgreeAsync(
                lead,
                asked.Id,
                asked.Digest,
                TimeSpan.FromMinutes(10),
                BrokerHarness.Call,
                CancellationToken.None
            );
            await _broker.IssueAsync(command with { ApprovalId = asked.Id });
            given.Add(asked.Id);
        }

        await _broker.IssueAsync(BrokerHarness.Command(task: "t-20"));
        await _broker.TimeBoxes.TakeBackAsync(
            lead,
            given[0],
            "no longer <needed>",
            leases: false,
            BrokerHarness.Call,
            CancellationToken.None
        );
        await _broker.Revocations.OrderAsync(
            new() { Task = "t-21" },
            "",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        _broker.Time.Advance(TimeSpan.FromMinutes(10));
        await _broker.TimeBoxSweep.RunAsync(CancellationToken.None);
    }

    /// <summary>Questions to people, and all that can become of them.</summary>
    private async Task AskPeopleAsync()
    {
        _broker.Issuer.BeforeMint = null;
        await _broker.ApplyAsync(
            HarnessPolicy
                .Text(comment: "people")
                .Replace(
                    "effect: allow",
                    "effect: challenge\n    approval: { approvers: [\"group:leads\"], quorum: 2, expiresAfter: 30m, "
                        + "escalate: { after: 20m, to: [\"group:heads\"] } }",
                    StringComparison.Ordinal
                )
        );
        var asked = new List<Approval>();
        for (var task = 10; task < 14; task++)
        {
            asked.Add(
                Assert
                    .IsType<ExchangeOutcome.Challenged>(
                        await _broker.ExchangeAsync(BrokerHarness.Command(task: $"t-{task}"))
                    )
                    .Approval
            );
        }

        foreach (var subject in new[] { "ann", "bob" })
        {
            await _broker.People.AgreeAsync(
                Lead(subject),
                asked[0].Id,
                asked[0].Digest,
                BrokerHarness.Call,
                CancellationToken.None
            );
        }

        await _broker.IssueAsync(BrokerHarness.Command(task: "t-10") with { ApprovalId = asked[0].Id });
        await _broker.People.DenyAsync(
            Lead("ann"),
            asked[1].Id,
            "not <today>",
            BrokerHarness.Call,
            CancellationToken.None
        );
        await _broker.Revocations.OrderAsync(
            new() { Task = "t-12" },
            "",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        await _broker.ApprovalSweep.RunAsync(CancellationToken.None);
        foreach (var later in new[] { 20, 10 })
        {
            _broker.Time.Advance(TimeSpan.FromMinutes(later));
            await _broker.ApprovalSweep.RunAsync(CancellationToken.None);
        }
        await GiveTimeBoxesAsync(Lead("kim"));
        // As the store adds it to the fifth word of somebody who hurries: those words would all stand in the samples, too.
        await _broker.Store.CommitAsync(
            new StateChange.EventRecorded
            {
                Event = new()
                {
                    What = new ApproverHurried { Decisions = 5, Median = TimeSpan.FromSeconds(1.2) },
                    Actor = AuditActor.Person("https://people.example", "ann"),
                    TraceId = BrokerHarness.Call.TraceId,
                },
            },
            CancellationToken.None
        );
        await GiveUpAsync((await _broker.Store.Notifications.FindDueAsync(1, CancellationToken.None))[0]);

        static Person Lead(string subject) =>
            new()
            {
                Issuer = "https://people.example",
                Subject = subject,
                Roles = new HashSet<PersonRole> { PersonRole.Approver },
                Groups = ["leads"],
                ProofExpiresAt = DateTimeOffset.MaxValue,
                ProofHash = "hash",
            };
    }

    /// <summary>Nobody takes a notification.</summary>
    private async Task GiveUpAsync(Notification notification)
    {
        await _broker.Store.CommitAsync(
            new StateChange.NotificationTaken
            {
                NotificationId = notification.Id,
                Attempts = notification.Attempts,
                For = TimeSpan.FromMinutes(1),
                Event = null,
            },
            CancellationToken.None
        );
        await _broker.Store.CommitAsync(
            new StateChange.NotificationSettled
            {
                NotificationId = notification.Id,
                Attempts = notification.Attempts + 1,
                SentTo = [],
                Error = "desk: it answered 500",
                Event = new()
                {
                    What = new NotificationFailed
                    {
                        NotificationId = notification.Id,
                        ApprovalId = notification.ApprovalId,
                        Kind = "asked",
                        Attempts = notification.Attempts + 1,
                        Endpoints = ["desk"],
                    },
                    Actor = AuditActor.Broker("notifications"),
                },
            },
            CancellationToken.None
        );
    }
}
