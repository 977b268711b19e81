using System.Security.Cryptography;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Notifications;

/// <summary>
/// Sends what is due: <list type="number">
/// <item>take it up, so that no other broker sends it meanwhile,</item>
/// <item>send it to each address that wants it and does not have it,</item>
/// <item>settle: gone where all have it, else due again later, or given up after so many attempts.</item>
/// </list>
/// Whoever dies in between has it sent again: each address is told at least once, always under the same id.
/// </summary>
internal sealed partial class NotificationRun(
    NotificationOptions options,
    NotificationTarget target,
    IBrokerStore store,
    TimeProvider time,
    ILogger<NotificationRun> log
)
{
    /// <summary>After so many attempts it is given up: about two hours.</summary>
    public const int MaxAttempts = 12;

    private const int AtOnce = 64;

    // Longer than one sending may take.
    private static readonly TimeSpan Claim = TimeSpan.FromMinutes(1);

    // How long a pass waits for what it has begun: a silent address keeps no other waiting.
    private static readonly TimeSpan Pass = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);
    private static readonly AuditActor Actor = AuditActor.Broker("notifications");

    // What no pass has seen the end of; each ends within its claim.
    private readonly List<Task> _underWay = [];

    /// <summary>One pass. Called each second, never twice at once.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        // A broker without addresses leaves it to those that have some.
        if (options.Endpoints.Count == 0)
        {
            return;
        }

        if (_underWay.Count < AtOnce)
        {
            var due = await store.Notifications.FindDueAsync(AtOnce - _underWay.Count, cancellationToken);
            _underWay.AddRange(due.Select(notification => SendAsync(notification, cancellationToken).AsTask()));
        }

        await Task.WhenAny(Task.WhenAll(_underWay), Task.Delay(Pass, time, cancellationToken));
        if (cancellationToken.IsCancellationRequested)
        {
            await Task.WhenAll(_underWay);
        }

        var over = _underWay.FindAll(sending => sending.IsCompleted);
        _underWay.RemoveAll(over.Contains);
        await Task.WhenAll(over);
    }

    private async ValueTask SendAsync(Notification notification, CancellationToken cancellationToken)
    {
        var taken = await store.CommitAsync(
            new StateChange.NotificationTaken
            {
                NotificationId = notification.Id,
                Attempts = notification.Attempts,
                For = Claim,
                Event = null,
            },
            cancellationToken
        );
        if (taken is not CommitOutcome.Committed)
        {
            return;
        }

        var attempt = notification.Attempts + 1;
        List<string> sent;
        List<(string Name, string Why)> failures;
        try
        {
            (sent, failures) = await DeliverAsync(notification, cancellationToken);
        }
        catch (Exception e) when (e is not (OperationCanceledException or StoreUnavailableException))
        {
            // It would fail the same way again, for ever, unless that is counted.
            (sent, failures) = ([], [("message", "it cannot be made")]);
        }

        var isOver = failures.Count == 0 || attempt >= MaxAttempts;
        var error = string.Join("; ", failures.Select(failure => $"{failure.Name}: {failure.Why}"));
        await store.CommitAsync(
            new StateChange.NotificationSettled
            {
                NotificationId = notification.Id,
                Attempts = attempt,
                SentTo = [.. notification.SentTo, .. sent],
                Error = error,
                Again = isOver ? null : Wait(attempt),
                Event =
                    isOver && failures.Count > 0
                        ? new()
                        {
                            What = new NotificationFailed
                            {
                                NotificationId = notification.Id,
                                ApprovalId = notification.ApprovalId,
                                Kind = KebabCase.Of(notification.Kind),
                                Attempts = attempt,
                                Endpoints = [.. failures.Select(failure => failure.Name)],
                            },
                            Actor = Actor,
                        }
                        : null,
            },
            CancellationToken.None
        );
        if (isOver && failures.Count > 0)
        {
            GivenUp(notification.Id, notification.ApprovalId, attempt, error);
        }
        else if (failures.Count > 0)
        {
            NotSent(notification.Id, notification.ApprovalId, attempt, error);
        }
    }

    private async ValueTask<(List<string> Sent, List<(string Name, string Why)> Failures)> DeliverAsync(
        Notification notification,
        CancellationToken cancellationToken
    )
    {
        var (sent, failures) = (new List<string>(), new List<(string, string)>());
        if (await store.Approvals.FindAsync(notification.ApprovalId, cancellationToken) is not { } approval)
        {
            // It was damaged or is long gone: no address could be told anything.
            failures.Add(("request", "it cannot be read"));
            return (sent, failures);
        }

        var told = NotificationMessage.Of(notification, approval, options.LinkTo(approval.Id));
        var answers = await Task.WhenAll(
            options
                .Endpoints.Where(endpoint =>
                    endpoint.Takes(notification.Kind, approval.Decision.Task.Process)
                    && !notification.SentTo.Contains(endpoint.Name, StringComparer.Ordinal)
                )
                .Select(async endpoint =>
                    (
                        endpoint.Name,
                        Why: await target.SendAsync(
                            endpoint,
                            notification.Id,
                            NotificationMessage.Write(told, endpoint.Format),
                            cancellationToken
                        )
                    )
                )
        );
        foreach (var (name, why) in answers)
        {
            Telemetry.Notified(name, why is null ? "sent" : "failed");
            if (why is null)
            {
                sent.Add(name);
            }
            else
            {
                failures.Add((name, why));
            }
        }

        return (sent, failures);
    }

    /// <summary>Doubled each time, and somewhere in its second half, so that not everything comes back at once.</summary>
    private static TimeSpan Wait(int attempt)
    {
        var full = FirstWait * Math.Pow(2, attempt - 1);
        full = full < LongestWait ? full : LongestWait;
        return full * (0.5 + RandomNumberGenerator.GetInt32(1, 501) / 1000.0);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Notification {Notification} of request {Approval} was not taken, attempt {Attempt}: {Error}"
    )]
    private partial void NotSent(string notification, string approval, int attempt, string error);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Notification {Notification} of request {Approval} is given up after {Attempt} attempts: {Error}"
    )]
    private partial void GivenUp(string notification, string approval, int attempt, string error);
}
