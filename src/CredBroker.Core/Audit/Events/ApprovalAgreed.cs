using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A person agreed.</summary>
public sealed record ApprovalAgreed : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "approval.agreed";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The question's id, by which its agent redeems it.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>What is agreed to.</summary>
    public required string Digest { get; init; }

    /// <summary>Which demands the person met, by their place.</summary>
    public required IReadOnlyList<int> Demands { get; init; }

    /// <summary>Those of them that asked the person only because nobody had decided for so long.</summary>
    public IReadOnlyList<int> Escalated { get; init; } = [];

    /// <summary>The time box that the person gave with it; null where they gave none.</summary>
    public TimeSpan? TimeBox { get; init; }

    /// <summary>Whether nobody else has to agree: the question is approved by it.</summary>
    public required bool IsApproved { get; init; }

    /// <summary>The group that it was decided with; null where it was decided alone.</summary>
    public GroupDecision? Group { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("approval", ApprovalId);
        json.WriteString("digest", Digest);
        WriteNumbers(json, "demands", Demands);
        if (Escalated.Count > 0)
        {
            WriteNumbers(json, "escalated", Escalated);
        }

        json.WriteBoolean("approved", IsApproved);
        if (TimeBox is { } timeBox)
        {
            json.WriteNumber("timeBoxSeconds", (long)timeBox.TotalSeconds);
        }

        Group?.Write(json);
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IReadOnlyList<int> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }
}
