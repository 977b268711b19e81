using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>An address outside has said that it is gone (410): this broker tells it nothing until it is started anew.</summary>
public sealed record NotificationEndpointGone : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "notification.endpoint-gone";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The address's name in the settings.</summary>
    public required string Endpoint { get; init; }

    /// <summary>The notification that it said it to.</summary>
    public required string NotificationId { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("endpoint", Endpoint);
        json.WriteString("notification", NotificationId);
    }
}
