namespace CredBroker.Server.Notifications;

/// <summary>In whose words an address is told.</summary>
public enum NotificationFormat
{
    /// <summary>A webhook as Standard Webhooks has it: signed, with the request as approvers see it.</summary>
    Standard,

    /// <summary>A message for an incoming webhook of Slack.</summary>
    Slack,

    /// <summary>A message for a workflow's webhook of Microsoft Teams: an adaptive card.</summary>
    Teams,
}
