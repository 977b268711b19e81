using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// An admin had the store's clock set to the broker's. It is the last record of its stream; the next one's time is the
/// new one.
/// </summary>
public sealed record ClockRepaired : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "store.clock-repaired";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>What the store's clock said.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>What the broker's clock said.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>What the admin gave as the reason.</summary>
    public required string Reason { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("from", From);
        json.WriteString("to", To);
        json.WriteString("reason", Reason);
    }
}
