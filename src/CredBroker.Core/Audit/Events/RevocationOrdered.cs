using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>An admin ordered a revocation. In logs of earlier versions one whose reason is <c>dry-run</c> was only tried.</summary>
public sealed record RevocationOrdered : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "revocation.ordered";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>Which leases it reaches, as the order is stored.</summary>
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
