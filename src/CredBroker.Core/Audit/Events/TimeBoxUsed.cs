using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>The lease of the same record opened in a time box: nobody was asked.</summary>
public sealed record TimeBoxUsed : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "timebox.used";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The approval that it was given with, which names it.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>What it fixes.</summary>
    public required string Digest { get; init; }

    /// <summary>Which lease of it this is; the one that opened it was the first.</summary>
    public required int Use { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("approval", ApprovalId);
        json.WriteString("digest", Digest);
        json.WriteNumber("use", Use);
    }
}
