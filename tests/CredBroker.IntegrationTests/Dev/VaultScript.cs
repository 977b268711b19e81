using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace CredBroker.IntegrationTests.Dev;

/// <summary>
/// Requests to a Vault, one a line: <c>METHOD path {body} as NAME -> name = path.in.answer</c>. <c>$name</c> stands for
/// a value kept earlier, <c>as NAME</c> sends a kept token (<c>as nobody</c> sends none), a path with no arrow keeps
/// nothing. A body that is no JSON object stands between backquotes; a patch is sent as a merge patch unless the line
/// says <c>typed</c> otherwise. A line ending in <c>~</c> promises the status alone, one ending in <c>=</c> also the
/// values, but for ids and times.
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
                var usual = request.Method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json";
                request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Fill(body.Value)))
                {
                    Headers =
                    {
                        ContentType = MediaTypeHeaderValue.Parse(
                            match.Groups["type"] is { Success: true } type ? type.Value : usual
                        ),
                    },
                };
            }

            using var response = await http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            var kind = response.Content.Headers.ContentType?.MediaType ?? "";
            var json = kind == "application/json" && text.Length > 0 ? JsonNode.Parse(text) : null;
            answers.Add(new Answer(line, (int)response.StatusCode, kind, json, match.Groups["mark"].Value));
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
        @"^(?<method>[A-Z]+) +(?<path>\S+)(?: +(?:(?<body>\{.*?\})|`(?<body>[^`]*)`))?"
            + @"(?: +typed (?<type>\S+))?(?: +as (?<as>\w+))?(?: +wrapped (?<wrap>\S+))?"
            + @"(?: +->(?<keep> *\w+ *= *[\w.]+)(?:,(?<keep> *\w+ *= *[\w.]+))*)?(?: +(?<mark>[~=]))?$"
    )]
    private static partial Regex Line();

    [GeneratedRegex(@"\$(\w+)")]
    private static partial Regex Name();
}

/// <summary>An answer to a line of a script.</summary>
internal sealed partial record Answer(string Line, int Status, string ContentType, JsonNode? Json, string Mark)
{
    /// <summary>
    /// What two Vaults must agree on: status, type, every member's name and kind, and the words of an error; the line's
    /// mark says more or less.
    /// </summary>
    public string Shape => Mark == "~" ? $"{Status}" : $"{Status} {(Status == 204 ? "" : ContentType)} {Of(Json, "")}";

    private string Of(JsonNode? node, string name) =>
        node switch
        {
            null => "null",
            JsonObject map when map.Count == 1 && map["errors"] is JsonArray errors =>
                $"errors {errors.ToJsonString()}",
            JsonObject map => "{"
                + string.Join(
                    ',',
                    map.OrderBy(member => member.Key, StringComparer.Ordinal)
                        .Select(member => $"{Key(member.Key)}:{Of(member.Value, member.Key)}")
                )
                + "}",
            JsonArray { Count: 0 } => "[]",
            JsonArray list when Mark == "=" => $"[{string.Join(',', list.Select(item => Of(item, name)))}]",
            JsonArray list => $"[{Of(list[0], name)}]",
            _ when Mark == "=" && !OfOneVault().IsMatch(name) => node.ToJsonString(),
            _ => node.GetValueKind() is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False
                ? "bool"
                : node.GetValueKind().ToString(),
        };

    /// <summary>Members that are named by an id are compared by their kind.</summary>
    private static string Key(string name) => Guid.TryParse(name, out _) ? "<id>" : name;

    [GeneratedRegex("^(id|uuid|ttl|token|client_token|secret_id|running_plugin_version|.*(_id|accessor|_time))$")]
    private static partial Regex OfOneVault();
}
