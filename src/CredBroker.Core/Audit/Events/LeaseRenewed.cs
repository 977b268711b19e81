using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A lease was renewed.</summary>
public sealed record LeaseRenewed : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.renewed";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>When it ends now.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The policy version that allowed it.</summary>
    public required long PolicyVersion { get; init; }

    /// <summary>The rule that allowed it.</summary>
    public required string Rule { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("expiresAt", ExpiresAt);
        json.WriteNumber("policyVersion", PolicyVersion);
        json.WriteString("rule", Rule);
    }
}
