using System.ComponentModel;
using System.Globalization;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Admin;

/// <summary><c>GET /v1/audit/export</c>: the log of a period as JSON Lines, streamed, to be verified offline.</summary>
internal static class ExportAuditEndpoint
{
    public const string JsonLines = "application/jsonl";

    private static readonly string[] Known = ["from", "to", "format", "cursor"];
    private static readonly string[] TimeForms =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'",
    ];

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/audit/export", HandleAsync)
            .WithName("exportAudit")
            .WithSummary(
                "The audit log of a period as JSON Lines: the stored bytes, which verify offline. Resumable by cursor."
            )
            .Produces<string>(StatusCodes.Status200OK, JsonLines);

    private static async Task<IResult> HandleAsync(
        [Description("The first time wanted (RFC 3339); absent for no bound.")] string? from,
        [Description("The first time not wanted (RFC 3339); absent for everything until now.")] string? to,
        [Description("jsonl, which is also what absent means.")] string? format,
        [Description("Goes on after this record of an earlier export: stream:sequence.")] string? cursor,
        HttpContext http,
        PersonCall person,
        AuditExport export,
        CancellationToken cancellationToken
    )
    {
        var (auditor, refused) = await person.AdmitAsync(http, PersonCall.Auditors);
        if (auditor is null)
        {
            return refused!;
        }

        var (range, fault) = Bind(http.Request.Query, from, to, format, cursor);
        if (fault is not null)
        {
            return new Problem(new(RefusalCode.RangeInvalid, fault));
        }

        await person.RecordAsync(http, auditor, query: http.Request.QueryString);
        http.Response.ContentType = JsonLines;
        await export.WriteAsync(http.Response.BodyWriter, range.From, range.To, range.After, cancellationToken);
        return Results.Empty;
    }

    private static ((DateTimeOffset? From, DateTimeOffset? To, AuditCursor? After) Range, string? Fault) Bind(
        IQueryCollection query,
        string? from,
        string? to,
        string? format,
        string? cursor
    )
    {
        var (first, end) = (Time(from), Time(to));
        var isCursor = AuditCursor.TryParse(cursor, out var after);
        var fault = format switch
        {
            _ when query.Any(pair => !Known.Contains(pair.Key) || pair.Value.Count != 1) =>
                $"This call takes {string.Join(", ", Known)}, each at most once.",
            not (null or "jsonl") => "format must be \"jsonl\".",
            _ when (from is not null && first is null) || (to is not null && end is null) =>
                "from and to must be RFC 3339 times, such as 2026-03-01T00:00:00Z.",
            _ when first >= end => "from must lie before to.",
            _ when cursor is not null && !isCursor => "cursor must be a stream and a sequence, as stream:sequence.",
            _ => null,
        };
        return ((first, end, after), fault);
    }

    private static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParseExact(
            text,
            TimeForms,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var time
        )
            ? time
            : null;
}
