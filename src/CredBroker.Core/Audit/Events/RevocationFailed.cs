using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>An attempt to revoke failed; it will be repeated.</summary>
public sealed record RevocationFailed : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.revocation-failed";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>What it failed with.</summary>
    public required string Error { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("error", Error);
    }
}
