using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A secret that no lease knows was found in Vault and revoked.</summary>
public sealed record StrayRevoked : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "vault.stray-revoked";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>Its Vault lease id.</summary>
    public required string VaultLease { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("vaultLease", VaultLease);
    }
}
