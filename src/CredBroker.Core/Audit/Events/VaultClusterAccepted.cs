using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// From now on the brokers believe this cluster of Vault, at this place in it: what the first of them met, or another, on
/// an admin's word. With the cluster the same and no reason the place alone was put on record.
/// </summary>
public sealed record VaultClusterAccepted : AuditFact
{
    /// <inheritdoc/>
    public override string Type => "vault.cluster-accepted";

    /// <summary>What Vault calls itself.</summary>
    public required string Cluster { get; init; }

    /// <summary>The one that was believed before; empty for none.</summary>
    public required string Before { get; init; }

    /// <summary>Whose names the store's secrets have there (<c>Vault:Installation</c>).</summary>
    public required string Installation { get; init; }

    /// <summary>The namespace that they are in; empty for none.</summary>
    public required string Namespace { get; init; }

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
        json.WriteString("installation", Installation);
        json.WriteString("namespace", Namespace);
    }
}
