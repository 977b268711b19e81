using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A question was taken back; the envelope says what did it.</summary>
public sealed record ApprovalVoided : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "approval.voided";

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
