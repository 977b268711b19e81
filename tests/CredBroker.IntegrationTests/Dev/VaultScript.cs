using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace CredBroker.IntegrationTests.Dev;

/// <summary>
/// Requests to a Vault, one a line: <c>METHOD path {body} as NAME -> name = path.in.answer</c>. <c>$name</c> stands for
/// a value kept earlier, <c>as NAME</c> sends a kept token (<c>as nobody</c> sends none), a path with no arrow keeps
/// nothing. A line ending in <c>~</c> promises the status alone.
/// </summary>
internal sealed partial class VaultScript(
    Uri address,
    string rootToken,
    HttpClient http,
    IReadOnlyDictionary<string, string> given
)
{
    private readonly Dictionary<string, string> _kept = new(given, StringComparer.Ordinal)
    {
        ["nobody"] = "",
        ["root"] = rootToken,
    };

    /// <summary>Runs the script; an answer a line.</summary>
    public async Task<IReadOnlyList<Answer>> RunAsync(string script)
    {
        var answers = new List<Answer>();
        foreach (var line in script.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var match = Line().Match(line);
            Assert.True(match.Success, $"Not a line of a script: {line}");
            using var request = new HttpRequestMessage(
                new HttpMethod(match.Groups["method"].Value),
                new Uri(address, "/v1/" + Fill(match.Groups["path"].Value))
            );
            if (_kept[match.Groups["as"] is { Success: true } named ? named.Value : "root"] is { Length: > 0 } token)
            {
                request.Headers.Add("X-Vault-Token", token);
            }

            if (match.Groups["wrap"] is { Success: true } wrap)
            {
                request.Headers.Add("X-Vault-Wrap-TTL", wrap.Value);
            }

            if (match.Groups["body"] is { Success: true } body)
            {
                request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Fill(body.Value)))
                {
                    Headers = { ContentType = MediaTypeHeaderValue.Parse("application/json") },
                };
            }

            using var response = await http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            var type = response.Content.Headers.ContentType?.MediaType ?? "";
            var json = type == "application/json" && text.Length > 0 ? JsonNode.Parse(text) : null;
            answers.Add(new Answer(line, (int)response.StatusCode, type, json, match.Groups["status"].Success));
            foreach (Capture keep in match.Groups["keep"].Captures)
            {
                var (name, path) = keep.Value.Split('=', StringSplitOptions.TrimEntries) is [var left, var right]
                    ? (left, right)
                    : throw new FormatException(line);
                _kept[name] =
                    path.Split('.').Aggregate(json, (node, part) => node?[part])?.ToString()
                    ?? throw new InvalidOperationException($"{line}: no {path} in {text}");
            }
        }

        return answers;
    }

    private string Fill(string text) => Name().Replace(text, match => _kept[match.Groups[1].Value]);

    [GeneratedRegex(
        @"^(?<method>[A-Z]+) +(?<path>\S+)(?: +(?<body>[\{\[].*?[\}\]]))?"
            + @"(?: +as (?<as>\w+))?(?: +wrapped (?<wrap>\w+))?"
            + @"(?: +->(?<keep> *\w+ *= *[\w.]+)(?:,(?<keep> *\w+ *= *[\w.]+))*)?(?<status> +~)?$"
    )]
    private static partial Regex Line();

    [GeneratedRegex(@"\$(\w+)")]
    private static partial Regex Name();
}

/// <summary>An answer to a line of a script.</summary>
internal sealed record Answer(string Line, int Status, string ContentType, JsonNode? Json, bool StatusAlone)
{
    /// <summary>
    /// What two Vaults must agree on: status, type, every member's name and kind, and the words of an error.
    /// </summary>
    public string Shape => StatusAlone ? $"{Status}" : $"{Status} {(Status == 204 ? "" : ContentType)} {Of(Json)}";

    private static string Of(JsonNode? node) =>
        node switch
        {
            null => "null",
            JsonObject map when map.Count == 1 && map["errors"] is JsonArray errors =>
                $"errors {errors.ToJsonString()}",
            JsonObject map => "{"
                + string.Join(
                    ',',
                    map.OrderBy(member => member.Key, StringComparer.Ordinal)
                        .Select(member => $"{Key(member.Key)}:{Of(member.Value)}")
                )
                + "}",
            JsonArray { Count: 0 } => "[]",
            JsonArray list => $"[{Of(list[0])}]",
            _ => node.GetValueKind() is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False
                ? "bool"
                : node.GetValueKind().ToString(),
        };

    /// <summary>Members that are named by an id are compared by their kind.</summary>
    private static string Key(string name) => Guid.TryParse(name, out _) ? "<id>" : name;
}
