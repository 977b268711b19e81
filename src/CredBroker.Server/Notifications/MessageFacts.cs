using System.Globalization;
using System.Text;
using CredBroker.Client;
using CredBroker.Core.Text;

namespace CredBroker.Server.Notifications;

/// <summary>
/// What a message in a chat says of a request: first what the broker knows, then, apart from it, what the agent says. All
/// of it is plain text: each format sees to it that nothing in it becomes a mention, a link or markup.
/// </summary>
/// <param name="Title">What happened; the broker's words alone.</param>
/// <param name="Known">What the broker has verified or resolved.</param>
/// <param name="Said">What the agent says.</param>
/// <param name="Command">How to look at it where there is no link.</param>
internal sealed record MessageFacts(
    string Title,
    IReadOnlyList<(string Label, string Value)> Known,
    IReadOnlyList<(string Label, string Value)> Said,
    string Command
)
{
    /// <summary>What stands over what the agent says.</summary>
    public const string SaidTitle = "The agent says (not checked by the broker)";

    private const int MaxLength = 300;
    private const int MaxSaid = 10;

    /// <summary>The facts of a notification.</summary>
    public static MessageFacts Of(ApprovalNotification told)
    {
        var request = told.Data;
        var said = new List<(string, string?)>
        {
            ("Task", request.Task),
            ("Purpose", request.Statements.Purpose),
            ("Resource", request.Statements.Resource),
            ("Tool", request.Statements.Tool),
        };
        said.AddRange(request.Statements.Arguments.Select(shown => (shown.Label, (string?)Value(shown))));
        if (said.Count > MaxSaid)
        {
            var left = said.Count - MaxSaid + 1;
            said.RemoveRange(MaxSaid - 1, left);
            said.Add(("More", $"{left} more, in the request"));
        }

        return new(
            told.Type switch
            {
                "approval.asked" => "An agent asks for approval",
                "approval.escalated" => "A request waits, and more people are asked",
                "approval.approved" => "A request was approved",
                "approval.denied" => "A request was denied",
                "approval.expired" => "The time of a request is over",
                _ => "A request was taken back",
            },
            Texts([
                ("Request", request.ApprovalId),
                ("Agent", request.Requester.Agent ?? request.Requester.Subject),
                ("Instance", request.Requester.Instance),
                ("Process", request.Process),
                ("Owner", request.Owner?.Subject ?? "nobody"),
                ("Credential", $"{request.Credential} ({request.Access}, impact {request.Impact})"),
                // One each: which secret it is, is never cut.
                .. (request.Params ?? new Dictionary<string, string>())
                    .OrderBy(parameter => parameter.Key, StringComparer.Ordinal)
                    .Select(parameter => ("Parameters", (string?)$"{parameter.Key}={parameter.Value}")),
                ("Actions", string.Join(", ", request.Actions)),
                ("Executor", request.Executor),
                ("Lives", WireDuration.Format(request.Ttl)),
                ("Ends", request.ExpiresAt.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)),
                .. request.Demands.Select(demand => ("Limit", demand.LimitSays)),
                ("By", request.ClosedBy is null ? null : $"{request.ClosedBy}: {request.Reason}".TrimEnd(' ', ':')),
            ]),
            Texts(said),
            $"credbroker approvals show {request.ApprovalId}"
        );
    }

    private static string Value(ApprovalShownResponse shown) =>
        shown.Kind switch
        {
            "absent" => "(none)",
            "digest" => $"sha256 {shown.Digest}",
            _ => shown.Text + (shown.Cut == true ? "…" : ""),
        };

    private static List<(string, string)> Texts(IReadOnlyList<(string Label, string? Value)> facts) =>
        [
            .. facts
                .Where(fact => !string.IsNullOrEmpty(fact.Value))
                .Select(fact => (Visible(fact.Label), Visible(fact.Value!))),
        ];

    /// <summary>On one line, bounded; what shows nothing, or turns the writing direction, is written out.</summary>
    private static string Visible(string text)
    {
        var shown = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length >= MaxLength)
            {
                return shown.Append('…').ToString();
            }

            shown.Append(
                VisibleText.IsHidden(rune)
                    ? string.Create(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X4}}}")
                    : rune.ToString()
            );
        }

        return shown.ToString();
    }
}
