using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// An admin has accepted a store that is behind its anchor: a new epoch begins with what the store has. What the anchor says
/// that it had before is lost.
/// </summary>
public sealed record StoreAccepted : AuditFact
{
    /// <inheritdoc/>
    public override string Type => "store.accepted";

    /// <summary>The new epoch.</summary>
    public required long Epoch { get; init; }

    /// <summary>The one until then.</summary>
    public required long Before { get; init; }

    /// <summary>The anchor's epoch.</summary>
    public required long AnchorEpoch { get; init; }

    /// <summary>The records that the anchor names and the store does not have.</summary>
    public required IReadOnlyList<AuditPosition> Missing { get; init; }

    /// <summary>What the admin gave as the reason.</summary>
    public required string Reason { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteNumber("epoch", Epoch);
        json.WriteNumber("before", Before);
        json.WriteNumber("anchorEpoch", AnchorEpoch);
        json.WriteStartArray("missing");
        foreach (var record in Missing)
        {
            json.WriteStringValue(record.ToString());
        }

        json.WriteEndArray();
        json.WriteString("reason", Reason);
    }
}
