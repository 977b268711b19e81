using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Notifications;

namespace CredBroker.Server.Endpoints.Access;

/// <summary>Whom an agent may have called when something becomes of its request: addresses of the settings alone.</summary>
internal static class AccessCallbacks
{
    private const int MaxState = 1024;
    private const int MaxEvents = 16;

    // The same whether it is none or another's: who may name which address is nobody's business.
    private static readonly Refusal NotYours = new(
        RefusalCode.FieldInvalid,
        "callback.endpoint is none of the addresses that this broker calls for you: name one of the settings exactly as it "
            + "stands there, or leave callback out and look at task.status_endpoint."
    );

    private static readonly NotificationKind[] Kinds =
    [
        NotificationKind.Approved,
        NotificationKind.Denied,
        NotificationKind.Expired,
        NotificationKind.Voided,
    ];

    /// <summary>What is wrong with its form.</summary>
    public static void Check(AccessCallbackAsked? callback, FieldCheck check)
    {
        if (callback is null)
        {
            return;
        }

        check.Require(
            callback.Endpoint is { Length: > 0 and <= FieldCheck.MaxIdentityText },
            $"callback.endpoint must be an address of up to {FieldCheck.MaxIdentityText} characters."
        );
        check.Require(
            !(callback.State?.GetRawText().Length > MaxState),
            $"callback.state must have at most {MaxState} characters."
        );
        check.Require(!(callback.Events?.Count > MaxEvents), $"callback.events must name at most {MaxEvents} events.");
    }

    /// <summary>
    /// What is kept of it; null where there is none, or where it wants to be told of nothing that there is here. Refused
    /// where this caller may not name the address.
    /// </summary>
    public static (AccessCallback? Callback, Refusal? Refusal) Of(
        AccessCallbackAsked? asked,
        WorkloadIdentity caller,
        NotificationOptions options
    )
    {
        if (asked is null)
        {
            return (null, null);
        }

        if (options.CallbackOf(asked.Endpoint!, caller) is not { } named)
        {
            return (null, NotYours);
        }

        // What has another name does not happen here, and is ignored.
        var events = asked.Events is { } names
            ? Kinds.Where(kind => names.Contains(CallbackMessage.StatusOf(kind), StringComparer.Ordinal)).ToList()
            : [];
        return asked.Events is not null && events.Count == 0
            ? (null, null)
            : (
                new()
                {
                    Endpoint = named.Url,
                    Events = events,
                    State = asked.State?.GetRawText() ?? "",
                },
                null
            );
    }
}
