using System.Text.Json;
using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Leases;

/// <summary>A decision within the audit record that tells of a lease's opening.</summary>
/// <param name="LeaseId">The lease.</param>
/// <param name="Id">The decision's id.</param>
/// <param name="Record">The decision record, as JSON.</param>
internal sealed record ToldDecision(string LeaseId, string Id, byte[] Record)
{
    private static readonly JsonReaderOptions Json = new() { MaxDepth = 128 };

    /// <summary>
    /// What this lease was decided from: told by an audit record, or by a row of its own. Null where there is neither.
    /// </summary>
    /// <param name="leaseId">The lease.</param>
    /// <param name="told">The record's bytes.</param>
    /// <param name="kept">The row's JSON.</param>
    /// <exception cref="JsonException">It is no decision record.</exception>
    /// <exception cref="InvalidDataException">The audit record is another lease's, or of something else.</exception>
    public static DecisionRecord? Read(string leaseId, byte[]? told, string? kept)
    {
        if (told is null)
        {
            return kept is null ? null : JsonSerializer.Deserialize(kept, StateJson.Default.DecisionRecord);
        }

        var json = new Utf8JsonReader(told, Json);
        return Seek(ref json) is { LeaseId: { } lease } && lease == leaseId
            ? JsonSerializer.Deserialize(ref json, StateJson.Default.DecisionRecord)
            : throw new InvalidDataException("the audit record that it names does not tell of its decision.");
    }

    /// <summary>The same within any record; null for one that tells of something else, or cannot be read.</summary>
    public static ToldDecision? TryFind(byte[] record)
    {
        try
        {
            var json = new Utf8JsonReader(record, Json);
            if (Seek(ref json) is not { LeaseId: { } lease, DecisionId: { } decision })
            {
                return null;
            }

            var start = (int)json.TokenStartIndex;
            json.Skip();
            return new(lease, decision, record[start..(int)json.BytesConsumed]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Goes to the value of <c>details</c>, which comes after who it is about.</summary>
    private static (string? LeaseId, string? DecisionId) Seek(ref Utf8JsonReader json)
    {
        var (lease, decision) = ((string?)null, (string?)null);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            return default;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var (isLease, isDecision) = (json.ValueTextEquals("lease"u8), json.ValueTextEquals("decision"u8));
            if (json.ValueTextEquals("details"u8))
            {
                return json.Read() ? (lease, decision) : default;
            }

            json.Skip();
            lease = isLease ? json.GetString() : lease;
            decision = isDecision ? json.GetString() : decision;
        }

        return default;
    }
}
