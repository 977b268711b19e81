using System.ComponentModel;
using System.Globalization;
using CredBroker.Core.Audit;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Audit;

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
            .ForRoles(TakenRoles.Auditors)
            .Produces<string>(StatusCodes.Status200OK, JsonLines);

    private static async Task<IResult> HandleAsync(
        [Description("The first time wanted (RFC 3339); absent for no bound.")] string? from,
        [Description("The first time not wanted (RFC 3339); absent for everything until now.")] string? to,
        [Description("jsonl, which is also what absent means.")] string? format,
        [Description("Goes on after this record of an earlier export: stream:sequence.")] string? cursor,
        HttpContext http,
        CallingPerson auditor,
        PeopleActions actions,
        AuditExport export,
        CancellationToken cancellationToken
    )
    {
        if (!Bind(http.Request.Query, from, to, format, cursor).Passes(out var range, out var refusal))
        {
            return new Refused(refusal);
        }

        if (await actions.RecordEachAsync(auditor, http.Request.QueryString, cancellationToken) is { } tooMany)
        {
            return new Refused(tooMany);
        }

        http.Response.ContentType = JsonLines;
        await export.WriteAsync(http.Response.BodyWriter, range.From, range.To, range.After, cancellationToken);
        return Results.Empty;
    }

    private static Checked<ExportRange> Bind(
        IQueryCollection query,
        string? from,
        string? to,
        string? format,
        string? cursor
    )
    {
        var (first, end) = (Time(from), Time(to));
        var isCursor = AuditCursor.TryParse(cursor, out var after);
        if (query.Any(pair => !Known.Contains(pair.Key) || pair.Value.Count != 1))
        {
            return Invalid($"This call takes {string.Join(", ", Known)}, each at most once.");
        }

        if (format is not (null or "jsonl"))
        {
            return Invalid("format must be \"jsonl\".");
        }

        if ((from is not null && first is null) || (to is not null && end is null))
        {
            return Invalid("from and to must be RFC 3339 times, such as 2026-03-01T00:00:00Z.");
        }

        if (first >= end)
        {
            return Invalid("from must lie before to.");
        }

        if (cursor is not null && !isCursor)
        {
            return Invalid("cursor must be a stream and a sequence, as stream:sequence.");
        }

        return new ExportRange(first, end, after);
    }

    private static Refusal Invalid(string fault) => new(RefusalCode.RangeInvalid, fault);

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

    /// <summary>What of the log is wanted: from a time, until one, after a record; each may be open.</summary>
    private sealed record ExportRange(DateTimeOffset? From, DateTimeOffset? To, AuditCursor? After);
}
