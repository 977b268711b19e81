using System.Buffers;
using System.Globalization;
using System.Text;

namespace CredBroker.Cli.Commands.Audit;

/// <summary>
/// Audit records as a table for a spreadsheet (RFC 4180). It is for reading: nothing can be verified by it, and the JSON
/// Lines beside it stay the record.
/// </summary>
internal static class AuditCsv
{
    private static readonly SearchValues<char> Quoted = SearchValues.Create(",;\t\"\r\n");

    private static readonly string[] Columns =
    [
        "time",
        "stream",
        "sequence",
        "type",
        "actor_kind",
        "actor_issuer",
        "actor_subject",
        "actor_instance",
        "agent",
        "process",
        "task",
        "credential",
        "lease",
        "decision",
        "revocation",
        "effect",
        "rule",
        "owner_issuer",
        "owner_subject",
        "reason",
        "outcome",
        "trace",
    ];

    public static string Header => string.Join(',', Columns) + "\r\n";

    public static string Row(AuditEntry entry)
    {
        string[] values =
        [
            entry.Time,
            entry.Stream,
            entry.Sequence.ToString(CultureInfo.InvariantCulture),
            entry.Type,
            entry.Text("actor", "kind"),
            entry.Text("actor", "issuer"),
            entry.Text("actor", "subject"),
            entry.Text("actor", "instance"),
            entry.Agent,
            entry.Text("process"),
            entry.Task,
            entry.Credential,
            entry.Lease,
            entry.Text("decision"),
            entry.Revocation,
            entry.Text("facts", "effect"),
            entry.Rule,
            entry.Text("holder", "owner", "issuer"),
            entry.Text("holder", "owner", "subject"),
            entry.Reason,
            entry.Outcome(),
            entry.Text("trace"),
        ];
        var row = new StringBuilder();
        foreach (var (index, value) in values.Index())
        {
            row.Append(index == 0 ? "" : ",").Append(Field(value));
        }

        return row.Append("\r\n").ToString();
    }

    /// <summary>One value, quoted where it has to be, in which no spreadsheet finds a formula.</summary>
    internal static string Field(string value)
    {
        var safe = new StringBuilder(value.Length);
        foreach (var (index, character) in value.Index())
        {
            if (
                index == 0 ? IsSign(character) || IsBlank(character) : IsSign(character) && MayEndCell(value[index - 1])
            )
            {
                safe.Append('\'');
            }

            safe.Append(character);
        }

        return !value.AsSpan().ContainsAny(Quoted) ? safe.ToString() : $"\"{safe.Replace("\"", "\"\"")}\"";
    }

    // Agents choose task ids and write reports; a spreadsheet would take a cell that begins like this for a formula, also
    // behind a blank that it drops.
    private static bool IsSign(char character) => character is '=' or '+' or '-' or '@' or '＝' or '＋' or '－' or '＠';

    private static bool IsBlank(char character) => character is '\t' or '\r' or '\n';

    // Where the list separator is a semicolon or a tab, quotes in the middle of a line are text, and a cell ends at any
    // of these.
    private static bool MayEndCell(char character) => character is ',' or ';' or '\t' or '\r' or '\n' or '"';
}
