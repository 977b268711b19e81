using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Http;

/// <summary>
/// The members of a request's body, read the lenient way that Vault reads them: numbers as text, lists as
/// comma-separated text.
/// </summary>
internal sealed record DevVaultFields(JsonObject Body)
{
    /// <summary>Whether the member is there and not null.</summary>
    public bool Has(string name) => Body[name] is not null;

    /// <summary>Text; empty where it is absent.</summary>
    public string Text(string name) =>
        Body[name] is not { } node
            ? ""
            : node.GetValueKind() switch
            {
                JsonValueKind.String => node.GetValue<string>(),
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => node.ToJsonString(),
                _ => throw Invalid(name, "a string"),
            };

    /// <summary>A yes or no; <paramref name="absent"/> where it is absent.</summary>
    public bool Flag(string name, bool absent = false)
    {
        if (!Has(name))
        {
            return absent;
        }

        return bool.TryParse(Text(name), out var value) ? value : throw Invalid(name, "a boolean");
    }

    /// <summary>A whole number from 0; 0 where it is absent.</summary>
    public int Number(string name)
    {
        if (!Has(name))
        {
            return 0;
        }

        return int.TryParse(Text(name), out var value) && value >= 0 ? value : throw Invalid(name, "a number");
    }

    /// <summary>A duration; zero where it is absent.</summary>
    public TimeSpan Duration(string name)
    {
        if (Text(name) is not { Length: > 0 } text)
        {
            return TimeSpan.Zero;
        }

        return DevVaultDuration.TryParse(text, out var value) ? value : throw Invalid(name, "a duration");
    }

    /// <summary>A list of texts; empty where it is absent.</summary>
    public IReadOnlyList<string> List(string name) =>
        Body[name] switch
        {
            null => [],
            JsonArray array =>
            [
                .. array.Select(item =>
                    item?.GetValueKind() == JsonValueKind.String
                        ? item.GetValue<string>()
                        : throw Invalid(name, "a list of strings")
                ),
            ],
            _ => [.. Text(name).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)],
        };

    /// <summary>An object; null where it is absent.</summary>
    public JsonObject? Map(string name) =>
        Body[name] switch
        {
            null => null,
            JsonObject map => map.DeepClone().AsObject(),
            _ => throw Invalid(name, "a map"),
        };

    private static DevVaultRefusal Invalid(string name, string expected) =>
        new(400, $"Field validation failed: error converting input for field \"{name}\": expected {expected}");
}
