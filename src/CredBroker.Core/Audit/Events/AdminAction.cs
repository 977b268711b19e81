using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A person used a call that reads what is not theirs, or was refused one, for want of a role or of what it is about
/// (the envelope's reason is then the code).
/// </summary>
public sealed record AdminAction : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "admin.action";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The endpoint's name.</summary>
    public required string? Call { get; init; }

    /// <summary>The id in the address, of a lease, an order or a hold; null where it has none.</summary>
    public string? Id { get; init; }

    /// <summary>The query of the address, once it was checked.</summary>
    public string? Query { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("call", Call);
        AuditRecordWriter.WriteText(json, "id", Id);
        AuditRecordWriter.WriteText(json, "query", Query);
    }
}
