using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>An admin put on record that an owner is gone: what they answered for is constrained from this moment on.</summary>
public sealed record OwnerRetired : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "owner.retired";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The person's issuer.</summary>
    public required string Issuer { get; init; }

    /// <summary>The person's subject.</summary>
    public required string Subject { get; init; }

    /// <summary>What the admin gave as the reason.</summary>
    public required string Reason { get; init; }

    /// <summary>The processes that named them as owner.</summary>
    public required IReadOnlyList<string> Processes { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("issuer", Issuer);
        json.WriteString("subject", Subject);
        json.WriteString("reason", Reason);
        json.WriteStartArray("processes");
        foreach (var process in Processes)
        {
            json.WriteStringValue(process);
        }

        json.WriteEndArray();
    }
}
