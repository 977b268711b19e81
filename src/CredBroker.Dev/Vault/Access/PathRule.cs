using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Access;

/// <summary>What a policy permits on paths of one pattern, and with which parameters.</summary>
internal sealed record PathRule(Capabilities Capabilities)
{
    private const string AnyParameter = "*";

    /// <summary>Permits nothing.</summary>
    public static PathRule Nothing { get; } = new(Capabilities.None);

    /// <summary>
    /// The parameters that a write may carry, each with the values that it may have (none listed: any); null where all
    /// may.
    /// </summary>
    public IReadOnlyDictionary<string, List<string>>? Allowed { get; init; }

    /// <summary>The parameters that a write may not carry, or not with these values.</summary>
    public IReadOnlyDictionary<string, List<string>>? Denied { get; init; }

    /// <summary>The parameters that a write must carry.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>Two rules for the same pattern: their capabilities and parameters add up.</summary>
    public static PathRule Merge(PathRule? one, PathRule other) =>
        one is null
            ? other
            : new(one.Capabilities | other.Capabilities)
            {
                Allowed = Merge(one.Allowed, other.Allowed),
                Denied = Merge(one.Denied, other.Denied),
                Required = [.. one.Required.Union(other.Required, StringComparer.OrdinalIgnoreCase)],
            };

    /// <summary>Whether a write's body keeps to the parameters.</summary>
    public bool Permits(JsonObject body) =>
        Required.All(name => body.Any(member => string.Equals(member.Key, name, StringComparison.OrdinalIgnoreCase)))
        && body.All(member => !IsDenied(member.Key, member.Value) && IsAllowed(member.Key, member.Value));

    private bool IsAllowed(string name, JsonNode? value) =>
        Allowed is null
        || (
            Allowed.TryGetValue(name, out var values)
                ? values.Count == 0 || IsOneOf(values, value)
                : Allowed.ContainsKey(AnyParameter)
        );

    private bool IsDenied(string name, JsonNode? value) =>
        Denied is not null
        && (
            Denied.ContainsKey(AnyParameter)
            || (Denied.TryGetValue(name, out var values) && (values.Count == 0 || IsOneOf(values, value)))
        );

    private static bool IsOneOf(List<string> patterns, JsonNode? value) =>
        value?.GetValueKind() == JsonValueKind.String
        && patterns.Any(pattern => DevVaultText.Matches(pattern, value.GetValue<string>()));

    private static IReadOnlyDictionary<string, List<string>>? Merge(
        IReadOnlyDictionary<string, List<string>>? one,
        IReadOnlyDictionary<string, List<string>>? other
    )
    {
        if (one is null || other is null)
        {
            return one ?? other;
        }

        // A parameter that either permits with any value may have any.
        return one
            .Keys.Union(other.Keys, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(
                name => name,
                name =>
                    (one.GetValueOrDefault(name), other.GetValueOrDefault(name)) switch
                    {
                        ({ } left, null) => left,
                        (null, { } right) => right,
                        ({ Count: > 0 } left, { Count: > 0 } right) => [.. left, .. right],
                        _ => [],
                    },
                StringComparer.OrdinalIgnoreCase
            );
    }
}
