using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A policy version was applied.</summary>
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

    /// <summary>The number that it got.</summary>
    public required long Version { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("name", Document);
        json.WriteString("hash", Hash);
        json.WriteNumber("version", Version);
    }
}
