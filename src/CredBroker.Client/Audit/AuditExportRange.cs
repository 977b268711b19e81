using System.Globalization;

namespace CredBroker.Client;

/// <summary><c>GET /v1/audit/export</c>: which part of the audit log.</summary>
public sealed record AuditExportRange
{
    /// <summary>The first time wanted; absent for no bound.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>The first time not wanted; absent for everything until now.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>
    /// Continue after this record: <c>stream:sequence</c>, as <see cref="AuditExportLine.Cursor"/> gives it.
    /// </summary>
    public string? Cursor { get; init; }

    internal string ToQuery()
    {
        static string Time(DateTimeOffset time) =>
            Uri.EscapeDataString(
                time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
            );
        return "?format=jsonl"
            + (From is { } from ? $"&from={Time(from)}" : "")
            + (To is { } to ? $"&to={Time(to)}" : "")
            + (Cursor is { } cursor ? $"&cursor={Uri.EscapeDataString(cursor)}" : "");
    }
}
