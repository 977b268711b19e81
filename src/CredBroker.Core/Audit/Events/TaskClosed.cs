using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A task was closed, and with it what was issued for it is revoked.</summary>
public sealed record TaskClosed : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "task.closed";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>Which leases it reaches, as the order is stored.</summary>
    public required JsonElement Selector { get; init; }

    /// <summary>Why the order was given.</summary>
    public required string Reason { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WritePropertyName("selector");
        Selector.WriteTo(json);
        json.WriteString("reason", Reason);
    }
}
