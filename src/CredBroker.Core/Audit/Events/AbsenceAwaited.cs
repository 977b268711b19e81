using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// Vault knows of no secret of this lease, and its backend cannot be asked whether one was made: the lease stays revoking
/// until such a secret could no longer be used.
/// </summary>
public sealed record AbsenceAwaited : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.absence-awaited";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>Until when one may exist.</summary>
    public required DateTimeOffset MayExistUntil { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("mayExistUntil", MayExistUntil);
    }
}
