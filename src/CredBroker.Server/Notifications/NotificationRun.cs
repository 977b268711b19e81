using System.Security.Cryptography;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
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

    // What no pass has seen the end of, and when it began; each ends within its claim.
    private readonly List<(Task Sending, long Began)> _underWay = [];

    /// <summary>One pass. Called each second, never twice at once.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        // A broker without addresses leaves it to those that have some.
        if (options.Endpoints.Count == 0 && options.Callbacks.Count == 0)
        {
            return;
        }

        // Those that a silent address holds take nobody's place: it gets only so many (AddressStanding).
        var places = AtOnce - _underWay.Count(one => time.GetElapsedTime(one.Began) < Pass);
        if (places > 0)
        {
            var due = await store.Notifications.FindDueAsync(places, cancellationToken);
            var began = time.GetTimestamp();
            _underWay.AddRange(
                due.Select(notification => (SendAsync(notification, cancellationToken).AsTask(), began))
            );
        }

        var sendings = Task.WhenAll(_underWay.Select(one => one.Sending));
        await Task.WhenAny(sendings, Task.Delay(Pass, time, cancellationToken));
        if (cancellationToken.IsCancellationRequested)
        {
            await sendings;
        }

        var over = _underWay.FindAll(one => one.Sending.IsCompleted);
        _underWay.RemoveAll(over.Contains);
        await Task.WhenAll(over.Select(one => one.Sending));
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
        List<Failure> failures;
        try
        {
            (sent, failures) = await DeliverAsync(notification, cancellationToken);
        }
        catch (Exception e) when (e is not (OperationCanceledException or StoreUnavailableException))
        {
            // It would fail the same way again, for ever, unless that is counted.
            (sent, failures) = ([], [new("message", "it cannot be made")]);
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
                // As soon as one of them may be tried again: none waits for another's sake.
                Again = isOver ? null : failures.Min(failure => Wait(attempt, failure.Rest)),
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

    /// <summary>
    /// Doubled each time, and somewhere in its second half, so that not everything comes back at once; no less than the
    /// address asks for.
    /// </summary>
    private static TimeSpan Wait(int attempt, TimeSpan? rest)
    {
        var full = FirstWait * Math.Pow(2, attempt - 1);
        full = full < LongestWait ? full : LongestWait;
        var wait = full * (0.5 + RandomNumberGenerator.GetInt32(1, 501) / 1000.0);
        return rest > wait ? rest.Value : wait;
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
