using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A secret was made after its lease could no longer take it, or is not what was asked for; it is to be revoked at once.
/// The envelope's reason says why.
/// </summary>
public sealed record LeaseLate : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.late";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The secret's Vault lease id.</summary>
    public string? VaultLease { get; init; }

    /// <summary>The accessor of a credential that is a Vault token.</summary>
    public string? CredentialAccessor { get; init; }

    /// <summary>What names the secret in public, a user or a serial number; empty where nothing does.</summary>
    public required string PublicName { get; init; }

    /// <summary>
    /// The lease that it was made for, where that one was over already: the envelope names a lease of the secret's own.
    /// </summary>
    public string? LateFor { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        AuditRecordWriter.WriteText(json, "vaultLease", VaultLease);
        AuditRecordWriter.WriteText(json, "credentialAccessor", CredentialAccessor);
        json.WriteString("publicName", PublicName);
        AuditRecordWriter.WriteText(json, "lateFor", LateFor);
    }
}
