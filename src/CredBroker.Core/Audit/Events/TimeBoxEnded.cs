using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A time box ended; the envelope says what did it.</summary>
public sealed record TimeBoxEnded : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "timebox.ended";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The approval that it was given with, which names it.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>What the person said who took it back; empty where nobody did.</summary>
    public string Reason { get; init; } = "";

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("approval", ApprovalId);
        if (Reason.Length > 0)
        {
            json.WriteString("reason", Reason);
        }
    }
}
