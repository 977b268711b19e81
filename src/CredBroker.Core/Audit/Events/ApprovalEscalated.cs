using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>Nobody has decided a question for a while: from now on it asks more people, as its rule says.</summary>
public sealed record ApprovalEscalated : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "approval.escalated";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The question's id, by which its agent redeems it.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>Which demands ask more people, by their place.</summary>
    public required IReadOnlyList<int> Demands { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("approval", ApprovalId);
        json.WriteStartArray("demands");
        foreach (var demand in Demands)
        {
            json.WriteNumberValue(demand);
        }

        json.WriteEndArray();
    }
}
