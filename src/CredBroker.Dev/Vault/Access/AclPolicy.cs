using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Access;

/// <summary>A policy: its text and what it says about paths.</summary>
internal sealed record AclPolicy(string Name, string Text, DateTimeOffset ModifiedAt, int Version)
{
    /// <summary>The rules by path pattern.</summary>
    public required IReadOnlyDictionary<string, PathRule> Rules { get; init; }

    /// <summary>Reads a policy in HCL or JSON. What DevVault cannot enforce is refused, never ignored.</summary>
    public static AclPolicy Parse(string name, string text, DateTimeOffset now, int version)
    {
        if (text.Length > DevVaultBounds.PolicyCharacters)
        {
            throw new DevVaultRefusal(400, "policy is too large");
        }

        try
        {
            var document = text.TrimStart().StartsWith('{') ? FromJson(text) : new AclPolicyReader(text).Read();
            return new AclPolicy(name, text, now, version) { Rules = Merge(document) };
        }
        catch (Exception fault) when (fault is FormatException or JsonException or InvalidOperationException)
        {
            throw new DevVaultRefusal(400, $"failed to parse policy: {fault.Message}");
        }
    }

    /// <summary>As <c>sys/policies/acl</c> shows it.</summary>
    public JsonObject ToJson() =>
        new()
        {
            ["allow_slashes_in_identity_templates"] = false,
            ["allow_wildcards_in_identity_templates"] = false,
            ["cas_required"] = false,
            ["modified"] = DevVaultDuration.ToText(ModifiedAt),
            ["name"] = Name,
            ["policy"] = Text,
            ["version"] = Version,
        };

    private static Dictionary<string, PathRule> Merge(IEnumerable<AclPolicyBlock> document)
    {
        var rules = new Dictionary<string, PathRule>(StringComparer.Ordinal);
        foreach (var rule in document)
        {
            var capabilities = Legacy(rule);
            foreach (var word in rule.Lists.GetValueOrDefault("capabilities") ?? [])
            {
                capabilities |=
                    Enum.TryParse<Capabilities>(word, ignoreCase: true, out var capability)
                    && capability != Capabilities.None
                    && !char.IsAsciiDigit(word[0])
                        ? capability
                        : throw new FormatException($"path \"{rule.Path}\": invalid capability \"{word}\"");
            }

            string[] unknown =
            [
                .. rule.Others,
                .. rule.Lists.Keys.Except(["capabilities", "required_parameters"]),
                .. rule.Texts.Keys.Except(["policy", "comment"]),
                .. rule.Maps.Keys.Except(["allowed_parameters", "denied_parameters"]),
            ];
            if (unknown.Length > 0)
            {
                throw new FormatException(
                    $"path \"{rule.Path}\": this development Vault does not enforce \"{unknown[0]}\""
                );
            }

            var path = rule.Path.TrimStart('/');
            rules[path] = PathRule.Merge(
                rules.GetValueOrDefault(path),
                new PathRule(capabilities)
                {
                    Allowed = rule.Maps.GetValueOrDefault("allowed_parameters"),
                    Denied = rule.Maps.GetValueOrDefault("denied_parameters"),
                    Required = rule.Lists.GetValueOrDefault("required_parameters") ?? [],
                }
            );
        }

        return rules;
    }

    private static Capabilities Legacy(AclPolicyBlock rule) =>
        rule.Texts.GetValueOrDefault("policy") switch
        {
            null => Capabilities.None,
            "deny" => Capabilities.Deny,
            "read" => Capabilities.Read | Capabilities.List,
            "write" => Capabilities.Create
                | Capabilities.Read
                | Capabilities.Update
                | Capabilities.Delete
                | Capabilities.List,
            "sudo" => Capabilities.Create
                | Capabilities.Read
                | Capabilities.Update
                | Capabilities.Delete
                | Capabilities.List
                | Capabilities.Sudo,
            var other => throw new FormatException($"path \"{rule.Path}\": invalid policy \"{other}\""),
        };

    private static IEnumerable<AclPolicyBlock> FromJson(string text)
    {
        var root = JsonNode
            .Parse(
                text,
                documentOptions: new JsonDocumentOptions
                {
                    MaxDepth = DevVaultBounds.JsonDepth,
                    AllowDuplicateProperties = false,
                }
            )!
            .AsObject();
        foreach (var (path, body) in root["path"]?.AsObject() ?? [])
        {
            var rule = new AclPolicyBlock(path);
            foreach (var (key, value) in body!.AsObject())
            {
                switch (value)
                {
                    case JsonArray list:
                        rule.Lists[key] = [.. list.Select(item => item!.GetValue<string>())];
                        break;
                    case JsonValue single when single.TryGetValue(out string? word):
                        rule.Texts[key] = word;
                        break;
                    case JsonObject map:
                        rule.Maps[key] = map.ToDictionary(
                            member => member.Key,
                            member => member.Value!.AsArray().Select(item => item!.GetValue<string>()).ToList(),
                            StringComparer.OrdinalIgnoreCase
                        );
                        break;
                    default:
                        rule.Others.Add(key);
                        break;
                }
            }

            yield return rule;
        }
    }
}
