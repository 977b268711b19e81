using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>Every lease of an order has been claimed.</summary>
public sealed record RevocationEnumerated : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "revocation.enumerated";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>
    /// What an order of everything has not searched for secrets that no record knows, a sentence each; empty for every
    /// other.
    /// </summary>
    public IReadOnlyList<string> NotSearched { get; init; } = [];

    /// <inheritdoc/>
    public override bool HasDetails => NotSearched.Count > 0;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteStartArray("notSearched");
        foreach (var place in NotSearched)
        {
            json.WriteStringValue(place);
        }

        json.WriteEndArray();
    }
}
