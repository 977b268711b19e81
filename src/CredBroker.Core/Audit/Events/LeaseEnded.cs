using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A lease whose secret nobody can revoke is over; the envelope's reason is the cause.</summary>
public sealed record LeaseEnded : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.ended";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>What may still be accepted, and what to do about it; empty for nothing.</summary>
    public required string StillValid { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("stillValid", StillValid);
    }
}
