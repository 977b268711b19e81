using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>An admin looked at what a revocation would reach. Nothing was ordered.</summary>
public sealed record RevocationPreviewed : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "revocation.previewed";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>Which leases it would reach, as an order would be stored.</summary>
    public required JsonElement Selector { get; init; }

    /// <summary>What the admin gave as the reason.</summary>
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
