using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Client;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Approvals;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Notifications;

/// <summary>
/// What an address is told. The same notification is the same message however often it is sent: it says how the request
/// stood when it happened, not how it stands by now.
/// </summary>
internal static class NotificationMessage
{
    /// <summary>The notification as a record.</summary>
    public static ApprovalNotification Of(Notification notification, Approval approval, string? link)
    {
        var then = notification.Kind switch
        {
            NotificationKind.Asked => approval with { Agreements = [] },
            NotificationKind.Escalated => approval with
            {
                Agreements = [.. approval.Agreements.Where(agreement => agreement.At <= notification.At)],
            },
            _ => approval,
        };
        var state = StateOf(notification.Kind);
        return new()
        {
            Type = $"approval.{KebabCase.Of(notification.Kind)}",
            Timestamp = notification.At,
            Data = ApprovalResponses.Of(then, state) with
            {
                ClosedBy = notification.Kind
                    is NotificationKind.Asked
                        or NotificationKind.Escalated
                        or NotificationKind.Approved
                    ? null
                    : notification.By,
                Reason = notification.Reason.Length == 0 ? null : notification.Reason,
                LeaseId = null,
            },
            Link = link,
        };
    }

    /// <summary>Its bytes in the address's words.</summary>
    public static byte[] Write(ApprovalNotification told, NotificationFormat format) =>
        format switch
        {
            NotificationFormat.Slack => Bytes(SlackMessage.Of(told)),
            NotificationFormat.Teams => Bytes(TeamsMessage.Of(told)),
            _ => JsonSerializer.SerializeToUtf8Bytes(told, BrokerJson.Default.ApprovalNotification),
        };

    private static ApprovalState StateOf(NotificationKind kind) =>
        kind switch
        {
            NotificationKind.Approved => ApprovalState.Approved,
            NotificationKind.Denied => ApprovalState.Denied,
            NotificationKind.Expired => ApprovalState.Expired,
            NotificationKind.Voided => ApprovalState.Voided,
            _ => ApprovalState.Pending,
        };

    private static byte[] Bytes(JsonObject message)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            message.WriteTo(json);
        }

        return buffer.ToArray();
    }
}
