using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A person decides faster than one can read: the median of their last words is under three seconds.</summary>
public sealed record ApproverHurried : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "approver.hurried";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>How many words were looked at.</summary>
    public required int Decisions { get; init; }

    /// <summary>What half of them took at most.</summary>
    public required TimeSpan Median { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteNumber("decisions", Decisions);
        json.WriteNumber("medianMilliseconds", (long)Median.TotalMilliseconds);
    }
}
