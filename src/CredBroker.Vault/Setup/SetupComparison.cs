using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace CredBroker.Vault.Setup;

/// <summary>How what Vault shows of a thing stands to what setup would make, in words for people.</summary>
internal static partial class SetupComparison
{
    public static SetupFinding Compare(SetupStep step, JsonElement found)
    {
        if (step.Kind == SetupKind.CertificateAuthority)
        {
            return new(step, SetupState.Present, []);
        }

        var actual = JsonObject.Create(found) ?? [];
        if (step.Kind == SetupKind.Policy)
        {
            return ComparePolicy(step, (string?)actual["policy"] ?? "");
        }

        if (step.Kind == SetupKind.AuditedHeader)
        {
            actual =
                actual
                    .FirstOrDefault(member => string.Equals(member.Key, step.Name, StringComparison.OrdinalIgnoreCase))
                    .Value as JsonObject
                ?? [];
        }
        else if (actual["connection_details"] is JsonObject details)
        {
            foreach (var (name, value) in details.ToList())
            {
                actual.TryAdd(name, value?.DeepClone());
            }
        }

        // A mount's limits are the operator's affair once it is there.
        string[] differing =
        [
            .. step
                .Body.Where(member => member.Key != "config" && !IsSame(member.Key, member.Value, actual[member.Key]))
                .Select(member => member.Key),
        ];
        return differing.Length == 0
            ? new(step, SetupState.Present, [])
            : new(
                step,
                step.IsOwn ? SetupState.Outdated : SetupState.Differs,
                [.. differing.SelectMany(name => Member(name, actual[name], step.Body[name]!))]
            )
            {
                Differing = differing,
                IsOfAnotherServer =
                    differing.Contains("connection_url")
                    && Server((string?)actual["connection_url"]) != Server((string?)step.Body["connection_url"]),
            };
    }

    /// <summary>A policy carries a mark with its own digest: one that somebody edited is not setup's any more.</summary>
    private static SetupFinding ComparePolicy(SetupStep step, string text)
    {
        if (text == step.PolicyText)
        {
            return new(step, SetupState.Present, []);
        }

        var lines = LineDiff.Of(BrokerPolicy.Unmarked(text), BrokerPolicy.Unmarked(step.PolicyText));
        return BrokerPolicy.IsUntouched(text)
            ? new(step, step.IsOwn ? SetupState.Outdated : SetupState.Differs, lines)
            : new(
                step,
                SetupState.Differs,
                [
                    "the policy was written or edited by somebody else and is left alone: take that back, or delete it, "
                        + "and run this again",
                    .. lines,
                ]
            );
    }

    private static IEnumerable<string> Member(string name, JsonNode? actual, JsonNode wanted)
    {
        if (!name.EndsWith("_statements", StringComparison.Ordinal) || wanted is not JsonArray statements)
        {
            return [$"{name}: {Shown(actual)} → {Shown(wanted)}"];
        }

        var lines = LineDiff.Of(Text(actual as JsonArray ?? []), Text(statements));
        return
        [
            $"{name}:",
            // The same lines can be other statements.
            .. lines.Count > 0 ? lines : ["  the same lines, in other statements"],
        ];

        static string Text(JsonArray statements) => string.Join('\n', Texts(statements));
    }

    /// <summary>A URL that somebody wrote with a login in it is shown without.</summary>
    private static string Shown(JsonNode? value) =>
        value is null
            ? "not set"
            : Login()
                .Replace(
                    value.ToJsonString(Relaxed),
                    match => match.Value is "://{{username}}:{{password}}@" ? match.Value : "://[hidden]@"
                );

    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static string? Server(string? url)
    {
        var place = url?[(url.LastIndexOf('@') + 1)..];
        return place?.Split('/')[0];
    }

    /// <summary>
    /// Equal as Vault means it: names in any order, statements in theirs; a number or a truth value also as text.
    /// </summary>
    private static bool IsSame(string name, JsonNode? wanted, JsonNode? actual) =>
        (wanted, actual) switch
        {
            (JsonArray { Count: 0 }, null) => true,
            (JsonArray one, JsonArray other) when name.EndsWith("_statements", StringComparison.Ordinal) => Texts(one)
                .SequenceEqual(Texts(other)),
            (JsonArray one, JsonArray other) when name.EndsWith("_cidrs", StringComparison.Ordinal) => Networks(one)
                .SequenceEqual(Networks(other)),
            (JsonArray one, JsonArray other) => Texts(one)
                .Order(StringComparer.Ordinal)
                .SequenceEqual(Texts(other).Order(StringComparer.Ordinal)),
            (JsonObject one, JsonObject other) => one.All(member =>
                IsSame(member.Key, member.Value, other[member.Key])
            ),
            (JsonValue one, JsonValue other) => one.ToString() == other.ToString(),
            _ => false,
        };

    // Vault shows a network of one address as that address.
    private static IEnumerable<string> Networks(JsonArray array) =>
        Texts(array)
            .Select(text =>
                text.Contains('/', StringComparison.Ordinal) ? text : text + (text.Contains(':') ? "/128" : "/32")
            )
            .Order(StringComparer.Ordinal);

    private static IEnumerable<string> Texts(JsonArray array) => array.Select(item => item?.ToString() ?? "");

    [GeneratedRegex("""://[^"]*@""", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Login();
}
