using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>People are asked. What was decided, and from what, stands in the denial of the same decision.</summary>
public sealed record ApprovalRequested : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "approval.requested";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The question's id, by which its agent redeems it.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>What is agreed to.</summary>
    public required string Digest { get; init; }

    /// <summary>Until when it can be agreed to and redeemed.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What it asks of people, as it is stored.</summary>
    public required JsonElement Demands { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("approval", ApprovalId);
        json.WriteString("digest", Digest);
        json.WriteString("expiresAt", ExpiresAt);
        json.WritePropertyName("obligations");
        Demands.WriteTo(json);
    }
}
