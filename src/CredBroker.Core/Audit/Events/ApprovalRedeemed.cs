using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>An approval was used up by the lease of the same record.</summary>
public sealed record ApprovalRedeemed : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "approval.redeemed";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The question's id, by which its agent redeems it.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>What is agreed to.</summary>
    public required string Digest { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("approval", ApprovalId);
        json.WriteString("digest", Digest);
    }
}
