using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Server.Dev.VaultApi;

/// <summary>A policy: its text and what it says about paths.</summary>
internal sealed record AclPolicy(string Name, string Text, DateTimeOffset ModifiedAt, int Version)
{
    /// <summary>The rules by path pattern.</summary>
    public required IReadOnlyDictionary<string, Capabilities> Rules { get; init; }

    /// <summary>Reads a policy in HCL or JSON. What DevVault cannot enforce is refused, never ignored.</summary>
    public static AclPolicy Parse(string name, string text, DateTimeOffset now, int version)
    {
        if (text.Length > Bounds.PolicyCharacters)
        {
            throw new VaultRefusal(400, "policy is too large");
        }

        try
        {
            var document = text.TrimStart().StartsWith('{') ? FromJson(text) : new PolicyReader(text).Read();
            return new AclPolicy(name, text, now, version) { Rules = Merge(document) };
        }
        catch (Exception fault) when (fault is FormatException or JsonException or InvalidOperationException)
        {
            throw new VaultRefusal(400, $"failed to parse policy: {fault.Message}");
        }
    }

    /// <summary>As <c>sys/policies/acl</c> shows it.</summary>
    public JsonObject ToJson() => new()
    {
        ["allow_slashes_in_identity_templates"] = false,
        ["allow_wildcards_in_identity_templates"] = false,
        ["cas_required"] = false,
        ["modified"] = VaultDuration.ToText(ModifiedAt),
        ["name"] = Name,
        ["policy"] = Text,
        ["version"] = Version,
    };

    private static Dictionary<string, Capabilities> Merge(IEnumerable<PolicyRule> document)
    {
        var rules = new Dictionary<string, Capabilities>(StringComparer.Ordinal);
        foreach (var rule in document)
        {
            var capabilities = Legacy(rule);
            foreach (var word in rule.Lists.GetValueOrDefault("capabilities") ?? [])
            {
                capabilities |= Enum.TryParse<Capabilities>(word, ignoreCase: true, out var capability) && capability != Capabilities.None && !char.IsAsciiDigit(word[0])
                    ? capability
                    : throw new FormatException($"path \"{rule.Path}\": invalid capability \"{word}\"");
            }

            if (rule.Others.Concat(rule.Lists.Keys.Where(key => key != "capabilities")).Concat(rule.Texts.Keys.Where(key => key is not ("policy" or "comment"))).FirstOrDefault() is { } key)
            {
                throw new FormatException($"path \"{rule.Path}\": this development Vault does not enforce \"{key}\"");
            }

            var path = rule.Path.TrimStart('/');
            rules[path] = rules.GetValueOrDefault(path) | capabilities;
        }

        return rules;
    }

    private static Capabilities Legacy(PolicyRule rule) => rule.Texts.GetValueOrDefault("policy") switch
    {
        null => Capabilities.None,
        "deny" => Capabilities.Deny,
        "read" => Capabilities.Read | Capabilities.List,
        "write" => Capabilities.Create | Capabilities.Read | Capabilities.Update | Capabilities.Delete | Capabilities.List,
        "sudo" => Capabilities.Create | Capabilities.Read | Capabilities.Update | Capabilities.Delete | Capabilities.List | Capabilities.Sudo,
        var other => throw new FormatException($"path \"{rule.Path}\": invalid policy \"{other}\""),
    };

    private static IEnumerable<PolicyRule> FromJson(string text)
    {
        var root = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = Bounds.JsonDepth, AllowDuplicateProperties = false })!.AsObject();
        foreach (var (path, body) in root["path"]?.AsObject() ?? [])
        {
            var rule = new PolicyRule(path);
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
                    default:
                        rule.Others.Add(key);
                        break;
                }
            }

            yield return rule;
        }
    }
}

/// <summary>A policy's <c>path</c> block as it is written.</summary>
internal sealed record PolicyRule(string Path)
{
    public Dictionary<string, List<string>> Lists { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);

    /// <summary>Members of another form (blocks, numbers).</summary>
    public List<string> Others { get; } = [];
}

/// <summary>What a rule permits.</summary>
[Flags]
internal enum Capabilities
{
    None = 0,
    Create = 1,
    Read = 2,
    Update = 4,
    Delete = 8,
    List = 16,
    Sudo = 32,
    Deny = 64,
    Patch = 128,
    Scan = 256,
}
