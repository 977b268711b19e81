using System.Collections.Concurrent;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.State;

namespace CredBroker.Server.Notifications;

/// <content>One notification, to each address that wants it and is to be tried now.</content>
internal sealed partial class NotificationRun
{
    private readonly ConcurrentDictionary<string, AddressStanding> _standings = new(StringComparer.Ordinal);

    /// <summary>How many addresses have said that they are gone (410), and are told nothing until this process ends.</summary>
    public int Gone => _standings.Values.Count(standing => standing.IsGone);

    private async ValueTask<(List<string> Sent, List<Failure> Failures)> DeliverAsync(
        Notification notification,
        CancellationToken cancellationToken
    )
    {
        if (await store.Approvals.FindAsync(notification.ApprovalId, cancellationToken) is not { } approval)
        {
            // It was damaged or is long gone: no address could be told anything.
            return ([], [new("request", "it cannot be read")]);
        }

        if (Messages(notification, approval) is not { } messages)
        {
            return ([], [new("callback", "the settings have it no more for who has named it")]);
        }

        var answers = await Task.WhenAll(
            messages
                .Where(message => !notification.SentTo.Contains(message.To.Name, StringComparer.Ordinal))
                .Select(async message =>
                    (
                        message.To.Name,
                        Failure: await TryAsync(message.To, notification, message.Write, cancellationToken)
                    )
                )
        );
        return (
            [.. answers.Where(answer => answer.Failure is null).Select(answer => answer.Name)],
            [.. answers.Where(answer => answer.Failure is { Why.Length: > 0 }).Select(answer => answer.Failure!)]
        );
    }

    /// <summary>What is told to whom; null where it is for an address that is none of this broker's.</summary>
    private IReadOnlyList<(NotificationEndpointOptions To, Func<byte[]> Write)>? Messages(
        Notification notification,
        Approval approval
    )
    {
        if (notification.Callback is { } callback)
        {
            return options.CallbackOf(callback.Endpoint, approval.Decision.Identity) is { } named
                ? [(named.AsEndpoint, () => CallbackMessage.Write(notification.Kind, approval, callback, named))]
                : null;
        }

        var told = NotificationMessage.Of(notification, approval, options.LinkTo(approval.Id));
        return
        [
            .. options
                .Endpoints.Where(endpoint => endpoint.Takes(notification.Kind, approval.Decision.Task.Process))
                .Select(endpoint => (endpoint, (Func<byte[]>)(() => NotificationMessage.Write(told, endpoint.Format)))),
        ];
    }

    /// <summary>Null where it was taken; a failure without words where nobody is there to take it any more.</summary>
    private async ValueTask<Failure?> TryAsync(
        NotificationEndpointOptions to,
        Notification notification,
        Func<byte[]> write,
        CancellationToken cancellationToken
    )
    {
        var standing = _standings.GetOrAdd(to.Name, _ => new(time));
        if (standing.IsGone)
        {
            return Failure.Nobody;
        }

        if (standing.Rest is { } rest)
        {
            return new(to.Name, "it asked to be left alone for a while", rest);
        }

        if (standing.IsSilent)
        {
            return new(to.Name, "it has not answered those before");
        }

        var body = write();
        var began = standing.Begin();
        SendingOutcome? outcome = null;
        try
        {
            outcome = await target.SendAsync(to, notification.Id, body, cancellationToken);
        }
        finally
        {
            standing.End(began, outcome);
        }

        if (outcome.IsGone)
        {
            Telemetry.Notified(to.Name, "gone");
            await SwitchOffAsync(to.Name, standing, notification);
            return Failure.Nobody;
        }

        Telemetry.Notified(to.Name, outcome.Why is null ? "sent" : "failed");
        return outcome.Why is null ? null : new(to.Name, outcome.Why, standing.Rest);
    }

    /// <summary>It is told nothing more, and that stands on record once.</summary>
    private async ValueTask SwitchOffAsync(string name, AddressStanding standing, Notification notification)
    {
        if (!standing.Note(isGone: true))
        {
            return;
        }

        try
        {
            await store.CommitAsync(
                new StateChange.EventRecorded
                {
                    Event = new()
                    {
                        What = new NotificationEndpointGone { Endpoint = name, NotificationId = notification.Id },
                        Actor = Actor,
                    },
                },
                CancellationToken.None
            );
            SwitchedOff(name);
        }
        catch
        {
            // Off without a record would be off without anybody's knowing.
            standing.Note(isGone: false);
            throw;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The address {Endpoint} answered 410: it is told nothing more until this broker is started anew"
    )]
    private partial void SwitchedOff(string endpoint);

    /// <summary>An address that did not take it.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Why">What kept it.</param>
    /// <param name="Rest">For how long it asks to be left alone; null where it does not.</param>
    private sealed record Failure(string Name, string Why, TimeSpan? Rest = null)
    {
        /// <summary>There is nobody any more: it is not tried again and no failure.</summary>
        public static readonly Failure Nobody = new("", "");
    }
}
