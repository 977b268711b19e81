using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>An admin lifted a hold: what it refused may be issued again.</summary>
public sealed record HoldLifted : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "hold.lifted";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The hold's id.</summary>
    public required string HoldId { get; init; }

    /// <summary>What it refused, as the hold is stored.</summary>
    public required JsonElement Selector { get; init; }

    /// <summary>What the admin gave as the reason for lifting it.</summary>
    public required string Reason { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("hold", HoldId);
        json.WritePropertyName("selector");
        Selector.WriteTo(json);
        json.WriteString("reason", Reason);
    }
}
