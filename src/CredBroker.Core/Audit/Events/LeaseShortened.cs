using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// The lease ends earlier: a new policy grants less time, or a renewal is taken back that a hold came before.
/// </summary>
public sealed record LeaseShortened : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.shortened";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>When it ends now.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The policy version in force, by which it does.</summary>
    public required long PolicyVersion { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("expiresAt", ExpiresAt);
        json.WriteNumber("policyVersion", PolicyVersion);
    }
}
