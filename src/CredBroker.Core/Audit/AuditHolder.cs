using System.Text.Json;

namespace CredBroker.Core.Audit;

/// <summary>
/// Whose secret an event is about, and by what right: repeated in every event of a lease, so that each can be read
/// without the others.
/// </summary>
public sealed record AuditHolder
{
    /// <summary>The issuer of the verified identity.</summary>
    public required string Issuer { get; init; }

    /// <summary>Its subject.</summary>
    public required string Subject { get; init; }

    /// <summary>Its running instance; empty where none is told apart.</summary>
    public required string Instance { get; init; }

    /// <summary>What policy calls the agent; empty where it admitted none.</summary>
    public required string Agent { get; init; }

    /// <summary>The rule that decided; empty where none did.</summary>
    public required string Rule { get; init; }

    /// <summary>Who answers for the process, as issuer and subject; null where nobody is named.</summary>
    public (string Issuer, string Subject)? Owner { get; init; }

    internal void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject("holder");
        json.WriteString("issuer", Issuer);
        json.WriteString("subject", Subject);
        json.WriteString("instance", Instance);
        json.WriteString("agent", Agent);
        json.WriteString("rule", Rule);
        if (Owner is var (issuer, subject))
        {
            json.WriteStartObject("owner");
            json.WriteString("issuer", issuer);
            json.WriteString("subject", subject);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("owner");
        }

        json.WriteEndObject();
    }
}
