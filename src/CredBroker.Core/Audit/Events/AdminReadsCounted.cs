using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A person repeated calls that read, which were counted instead of recorded one by one. The first of each in its minute
/// is on record as <see cref="AdminAction"/>.
/// </summary>
public sealed record AdminReadsCounted : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "admin.reads-counted";

    private const int MostReads = 50;
    private const int LongestQuery = 512;

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>How many more there were of each; the record names the 50 that were repeated most.</summary>
    public required IReadOnlyList<(AdminAction Read, long Count)> Reads { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteNumber("total", Reads.Sum(item => item.Count));
        json.WriteStartObject("byCall");
        foreach (
            var call in Reads
                .GroupBy(item => item.Read.Call ?? "", StringComparer.Ordinal)
                .OrderBy(call => call.Key, StringComparer.Ordinal)
        )
        {
            json.WriteNumber(call.Key, call.Sum(item => item.Count));
        }

        json.WriteEndObject();
        json.WriteStartArray("reads");
        foreach (var (read, count) in Reads.OrderByDescending(item => item.Count).Take(MostReads))
        {
            json.WriteStartObject();
            json.WriteString("call", read.Call);
            AuditRecordWriter.WriteText(json, "id", read.Id);
            AuditRecordWriter.WriteText(
                json,
                "query",
                read.Query is { Length: > LongestQuery } query ? query[..LongestQuery] + "…" : read.Query
            );
            json.WriteNumber("count", count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
