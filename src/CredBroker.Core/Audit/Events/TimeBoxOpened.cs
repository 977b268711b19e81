using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A time box opened, with the lease of the same record: its approval was redeemed.</summary>
public sealed record TimeBoxOpened : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "timebox.opened";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The approval that it was given with, which names it.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>What it fixes.</summary>
    public required string Digest { get; init; }

    /// <summary>Its end, unless something ends it before.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("approval", ApprovalId);
        json.WriteString("digest", Digest);
        json.WriteString("endsAt", EndsAt);
    }
}
