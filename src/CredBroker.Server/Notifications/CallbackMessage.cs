using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Access;

namespace CredBroker.Server.Notifications;

/// <summary>
/// What the callback of an access request says (AuthZEN Access Request and Approval Profile, "Callback Completion"): where
/// the task stood when it happened, and the caller's own state. It has no <c>result</c>: it lets nobody do anything.
/// </summary>
internal static class CallbackMessage
{
    public static byte[] Write(
        NotificationKind kind,
        Approval approval,
        NotificationCallback callback,
        CallbackOptions named
    )
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (callback.State.Length > 0)
            {
                json.WritePropertyName("state");
                json.WriteRawValue(callback.State);
            }

            json.WriteStartObject("task");
            json.WriteString("id", approval.Id);
            json.WriteString("status", StatusOf(kind));
            json.WriteString(
                "status_endpoint",
                $"{named.StatusAddress.TrimEnd('/')}{AccessRequestEndpoints.Path}/{approval.Id}"
            );
            json.WriteString("expires_at", approval.ExpiresAt);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>The profile's word, which is also the event's name.</summary>
    public static string StatusOf(NotificationKind kind) =>
        kind switch
        {
            NotificationKind.Approved => "approved",
            NotificationKind.Denied => "denied",
            NotificationKind.Expired => "expired",
            NotificationKind.Voided => "cancelled",
            _ => "pending",
        };
}
