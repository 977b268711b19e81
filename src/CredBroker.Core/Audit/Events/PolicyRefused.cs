using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A policy edit was refused, and the version in force goes on; the envelope's reason is <c>faults</c> or
/// <c>was-version-before</c>.
/// </summary>
public sealed record PolicyRefused : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "policy.refused";

    private const int MostFaults = 20;

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The document's name.</summary>
    public required string Document { get; init; }

    /// <summary>The document's hash.</summary>
    public required string Hash { get; init; }

    /// <summary>What is wrong with it; the record names the first 20.</summary>
    public required IReadOnlyList<string> Faults { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("name", Document);
        json.WriteString("hash", Hash);
        json.WriteStartArray("faults");
        foreach (var fault in Faults.Take(MostFaults))
        {
            json.WriteStringValue(fault);
        }

        json.WriteEndArray();
    }
}
