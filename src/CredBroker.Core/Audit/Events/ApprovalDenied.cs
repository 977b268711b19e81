using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A person refused.</summary>
public sealed record ApprovalDenied : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "approval.denied";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The question's id, by which its agent redeems it.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>Why, in the person's words.</summary>
    public required string Reason { get; init; }

    /// <summary>The group that it was decided with; null where it was decided alone.</summary>
    public GroupDecision? Group { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("approval", ApprovalId);
        json.WriteString("reason", Reason);
        Group?.Write(json);
    }
}
