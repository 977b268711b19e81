using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A person says that the secret of a lease is gone, where neither Vault nor its backend could prove it: the lease is
/// revoked on that word.
/// </summary>
public sealed record LeaseConfirmed : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.confirmed";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>What the person saw.</summary>
    public required string Evidence { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("evidence", Evidence);
    }
}
