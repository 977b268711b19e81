using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A secret was issued: its handles and its times.</summary>
public sealed record LeaseIssued : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.issued";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The secret's Vault lease id.</summary>
    public string? VaultLease { get; init; }

    /// <summary>The accessor of a credential that is a Vault token.</summary>
    public string? CredentialAccessor { get; init; }

    /// <summary>What names the secret in public, a user or a serial number; empty where nothing does.</summary>
    public required string PublicName { get; init; }

    /// <summary>When it ends.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Until when the backend may accept it if Vault cannot be reached.</summary>
    public required DateTimeOffset GraceUntil { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        AuditRecordWriter.WriteText(json, "vaultLease", VaultLease);
        AuditRecordWriter.WriteText(json, "credentialAccessor", CredentialAccessor);
        json.WriteString("publicName", PublicName);
        json.WriteString("expiresAt", ExpiresAt);
        json.WriteString("graceUntil", GraceUntil);
    }
}
