using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A lease's revocation was asked for; the envelope's reason is the cause (<c>released</c> where its agent gave it
/// back).
/// </summary>
public sealed record RevocationRequested : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.revocation-requested";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>For a policy change: the rule and version that decided; empty otherwise.</summary>
    public string Rule { get; init; } = "";

    /// <summary>For recovery: the code that the agent was told; empty otherwise.</summary>
    public string Code { get; init; } = "";

    /// <inheritdoc/>
    public override bool HasDetails => Rule.Length > 0 || Code.Length > 0;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        if (Rule.Length > 0)
        {
            json.WriteString("rule", Rule);
        }
        else
        {
            json.WriteString("code", Code);
        }
    }
}
