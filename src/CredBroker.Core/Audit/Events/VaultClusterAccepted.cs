using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// From now on the broker believes this cluster of Vault: the first that it met, or another, on an admin's word.
/// </summary>
public sealed record VaultClusterAccepted : AuditFact
{
    /// <inheritdoc/>
    public override string Type => "vault.cluster-accepted";

    /// <summary>What Vault calls itself.</summary>
    public required string Cluster { get; init; }

    /// <summary>The one that was believed before; empty for none.</summary>
    public required string Before { get; init; }

    /// <summary>What the admin gave as the reason; empty for the first.</summary>
    public required string Reason { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("cluster", Cluster);
        json.WriteString("before", Before);
        json.WriteString("reason", Reason);
    }
}
