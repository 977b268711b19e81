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
    private static readonly string[] TimeForms = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"];

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/v1/audit/export", HandleAsync)
        .WithName("exportAudit")
        .WithSummary("The audit log of a period as JSON Lines: the stored bytes, which verify offline. Resumable by cursor.")
        .Produces<string>(StatusCodes.Status200OK, JsonLines);

    private static async Task<IResult> HandleAsync(
        [Description("The first time wanted (RFC 3339); absent for no bound.")] string? from,
        [Description("The first time not wanted (RFC 3339); absent for everything until now.")] string? to,
        [Description("jsonl, which is also what absent means.")] string? format,
        [Description("Goes on after this record of an earlier export: stream:sequence.")] string? cursor,
        HttpContext http, PersonCall person, AuditExport export, CancellationToken cancellationToken)
    {
        var (auditor, refused) = await person.AdmitAsync(http, PersonCall.Auditors);
        if (auditor is null)
        {
            return refused!;
        }

        AuditCursor? after = null;
        var range = (From: Time(from), To: Time(to));
        var fault = http.Request.Query.FirstOrDefault(pair => !Known.Contains(pair.Key) || pair.Value.Count != 1) is { Key: { } key } ? $"\"{(key.Length <= 40 ? key : key[..40])}\" is not a parameter of this call, or given twice; known are {string.Join(", ", Known)}."
            : format is not (null or "jsonl") ? "format must be \"jsonl\"."
            : (from is not null && range.From is null) || (to is not null && range.To is null) ? "from and to must be RFC 3339 times, such as 2026-03-01T00:00:00Z."
            : range.From >= range.To ? "from must lie before to."
            : cursor is not null && !AuditCursor.TryParse(cursor, out after) ? "cursor must be a stream and a sequence, as stream:sequence."
            : null;
        if (fault is not null)
        {
            return new Problem(new(RefusalCode.RangeInvalid, fault));
        }

        await person.RecordAsync(http, auditor, query: http.Request.QueryString);
        http.Response.ContentType = JsonLines;
        await export.WriteAsync(http.Response.BodyWriter, range.From, range.To, after, cancellationToken);
        return Results.Empty;
    }

    private static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParseExact(text, TimeForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
