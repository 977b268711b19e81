using System.Text.Json;
using System.Text.Unicode;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Leases;

/// <summary>A decision within the audit record that tells of a lease's opening.</summary>
/// <param name="Stream">The record's stream, by its number.</param>
/// <param name="Sequence">The record's place in it.</param>
/// <param name="LeaseId">The lease.</param>
/// <param name="Id">The decision's id.</param>
/// <param name="Record">The decision record, as JSON.</param>
internal sealed record ToldDecision(long Stream, long Sequence, string LeaseId, string Id, byte[] Record)
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

    /// <summary>The same within any record; null for one that tells of something else, or is damaged.</summary>
    public static ToldDecision? TryFind(long stream, long sequence, byte[] record)
    {
        try
        {
            var json = new Utf8JsonReader(record, Json);
            // What a database takes for no text must not keep the others from being kept.
            if (
                !Utf8.IsValid(record)
                || Seek(ref json) is not { LeaseId: { } lease, DecisionId: { } decision }
                || $"{lease}{decision}".Contains('\0', StringComparison.Ordinal)
            )
            {
                return null;
            }

            var start = (int)json.TokenStartIndex;
            json.Skip();
            return new(stream, sequence, lease, decision, record[start..(int)json.BytesConsumed]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Goes to the value of <c>details</c>, which comes after whose they are; null where they are no decision.</summary>
    private static (string? LeaseId, string? DecisionId) Seek(ref Utf8JsonReader json)
    {
        var (isOpening, lease, decision) = (false, (string?)null, (string?)null);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            return default;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("details"u8))
            {
                return isOpening && json.Read() ? (lease, decision) : default;
            }

            var (isType, isLease) = (json.ValueTextEquals("type"u8), json.ValueTextEquals("lease"u8));
            var isDecision = json.ValueTextEquals("decision"u8);
            json.Skip();
            isOpening |= isType && json.ValueTextEquals(RequestAllowed.TypeName);
            lease = isLease ? json.GetString() : lease;
            decision = isDecision ? json.GetString() : decision;
        }

        return default;
    }
}
