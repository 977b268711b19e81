using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>An admin put on record that an owner who was gone is back: their processes have an owner again.</summary>
public sealed record OwnerReinstated : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "owner.reinstated";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The person's issuer.</summary>
    public required string Issuer { get; init; }

    /// <summary>The person's subject.</summary>
    public required string Subject { get; init; }

    /// <summary>What the admin gave as the reason.</summary>
    public required string Reason { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("issuer", Issuer);
        json.WriteString("subject", Subject);
        json.WriteString("reason", Reason);
    }
}
