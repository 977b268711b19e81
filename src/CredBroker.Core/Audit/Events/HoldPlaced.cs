using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>An admin, or a tripwire of the policy, placed a hold. With a revocation in the envelope it is a quarantine.</summary>
public sealed record HoldPlaced : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "hold.placed";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The hold's id.</summary>
    public required string HoldId { get; init; }

    /// <summary>What it refuses, as the hold is stored.</summary>
    public required JsonElement Selector { get; init; }

    /// <summary>What the admin gave as the reason.</summary>
    public required string Reason { get; init; }

    /// <summary>When it lapses by itself, if it does.</summary>
    public required DateTimeOffset? Until { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("hold", HoldId);
        json.WritePropertyName("selector");
        Selector.WriteTo(json);
        json.WriteString("reason", Reason);
        if (Until is { } until)
        {
            json.WriteString("until", until);
        }
    }
}
