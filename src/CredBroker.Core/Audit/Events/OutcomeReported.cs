using System.Text.Json;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// An agent reported what it did; the envelope's reason is the status. All of it is the agent's statement.
/// </summary>
public sealed record OutcomeReported : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.outcome";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>What it says in a sentence or two.</summary>
    public required string Summary { get; init; }

    /// <summary>The tool call as it was made.</summary>
    public ToolCall? ToolCall { get; init; }

    /// <summary>Whether the call is the one that the request declared.</summary>
    public bool IsAsDeclared { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("summary", Summary);
        if (ToolCall is not null)
        {
            json.WriteString("tool", ToolCall.Name);
            json.WritePropertyName("arguments");
            ToolCall.Arguments.WriteTo(json);
            json.WriteBoolean("asDeclared", IsAsDeclared);
        }
    }
}
