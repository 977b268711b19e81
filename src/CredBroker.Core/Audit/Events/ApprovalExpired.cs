using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>The time of a question was over before it was redeemed.</summary>
public sealed record ApprovalExpired : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "approval.expired";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The question's id, by which its agent redeems it.</summary>
    public required string ApprovalId { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("approval", ApprovalId);
    }
}
