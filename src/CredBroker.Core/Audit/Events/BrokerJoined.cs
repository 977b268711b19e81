using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>Another broker process has come to the store, and appends to the stream that those before it have opened.</summary>
public sealed record BrokerJoined : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "broker.joined";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The process, by the id that it has for as long as it runs.</summary>
    public required string Broker { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json) => json.WriteString("broker", Broker);
}
