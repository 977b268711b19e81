using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>That a person has decided several questions at once, all or none of them.</summary>
/// <param name="Digest">Of which questions: the same in the event of each.</param>
/// <param name="Requests">How many.</param>
public sealed record GroupDecision(string Digest, int Requests)
{
    /// <summary>Writes it as a member of an event's details.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("group");
        json.WriteString("digest", Digest);
        json.WriteNumber("requests", Requests);
        json.WriteEndObject();
    }
}
