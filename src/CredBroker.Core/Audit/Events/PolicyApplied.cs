using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A policy version was applied: by the file that the broker watches, or by a person, who is the actor.</summary>
public sealed record PolicyApplied : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "policy.applied";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The document's name.</summary>
    public required string Document { get; init; }

    /// <summary>The document's hash.</summary>
    public required string Hash { get; init; }

    /// <summary>The number that it got; it follows the one before it.</summary>
    public required long Version { get; init; }

    /// <summary>The earlier version whose content it has again; null where nobody went back.</summary>
    public long? Restores { get; init; }

    /// <summary>Why somebody went back, in their words.</summary>
    public string Reason { get; init; } = "";

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("name", Document);
        json.WriteString("hash", Hash);
        json.WriteNumber("version", Version);
        if (Version > 1)
        {
            json.WriteNumber("parent", Version - 1);
        }

        if (Restores is { } restored)
        {
            json.WriteNumber("restores", restored);
            json.WriteString("reason", Reason);
        }
    }
}
