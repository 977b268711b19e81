using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Http;

/// <summary>
/// The members of a request's body, read the lenient way that Vault reads them (numbers as text, lists as
/// comma-separated text) and refused in Vault's words. A null is an absent member.
/// </summary>
/// <param name="Body">The body.</param>
/// <param name="Validated">
/// Whether Vault validates the body before the engine sees it, and says so in a refusal. Where it first asks the engine
/// whether the thing is there, that question meets the fault.
/// </param>
internal sealed record DevVaultFields(JsonObject Body, bool Validated = true)
{
    /// <summary>Whether the member is there and not null.</summary>
    public bool Has(string name) => Body[name] is not null;

    /// <summary>Text; empty where it is absent.</summary>
    public string Text(string name) => Text(Body[name]) ?? throw Unconvertible(name, "string");

    /// <summary>A yes or no; <paramref name="absent"/> where it is absent.</summary>
    public bool Flag(string name, bool absent = false)
    {
        if (!Has(name))
        {
            return absent;
        }

        return (Text(Body[name]) ?? throw Unconvertible(name, "bool")) switch
        {
            "1" or "t" or "T" or "true" or "True" or "TRUE" => true,
            "" or "0" or "f" or "F" or "false" or "False" or "FALSE" => false,
            _ => throw Invalid(name, "'' cannot parse value as 'bool': strconv.ParseBool: invalid syntax"),
        };
    }

    /// <summary>A whole number, which may be negative; 0 where it is absent.</summary>
    public int Number(string name) =>
        Number(Text(Body[name]) ?? throw Unconvertible(name, "int"), out var number) is { } fault
            ? throw Invalid(name, $"'' {fault}")
            : number;

    /// <summary>
    /// A whole number from 0; 0 where it is absent. <paramref name="what"/> is Vault's word for it, where it is not its
    /// name.
    /// </summary>
    public int Count(string name, string? what = null) =>
        Number(name) is var number and >= 0
            ? number
            : throw new DevVaultRefusal(400, $"{what ?? name} cannot be negative");

    /// <summary>Whole numbers; empty where it is absent.</summary>
    public IReadOnlyList<int> Numbers(string name) =>
        [
            .. Items(name, "int")
                .Select((text, at) => Number(text, out var number) is { } fault ? throw Item(name, at, fault) : number),
        ];

    /// <summary>A duration; zero where it is absent.</summary>
    public TimeSpan Duration(string name)
    {
        if (
            Body[name] is JsonArray or JsonObject
            || Body[name]?.GetValueKind() is JsonValueKind.True or JsonValueKind.False
        )
        {
            throw Invalid(name, "could not parse duration from input");
        }

        var text = Text(name);
        if (DevVaultDuration.Fault(text, out var value) is { } fault)
        {
            throw Invalid(name, fault);
        }

        return value >= TimeSpan.Zero
            ? value
            : throw Invalid(
                name,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"cannot provide negative value '{(long)value.TotalSeconds}'"
                )
            );
    }

    /// <summary>A duration that Vault takes as text and reads itself; zero where it is absent.</summary>
    public TimeSpan DurationText(string name)
    {
        if (DevVaultDuration.Fault(Text(name), out var value) is { } fault)
        {
            throw new DevVaultRefusal(400, fault);
        }

        return value >= TimeSpan.Zero ? value : throw new DevVaultRefusal(400, $"{name} must be positive");
    }

    /// <summary>A list of texts; empty where it is absent.</summary>
    public IReadOnlyList<string> List(string name) => Items(name, "string");

    /// <summary>An object; null where it is absent.</summary>
    public JsonObject? Map(string name) =>
        Body[name] switch
        {
            null => null,
            JsonObject map => map.DeepClone().AsObject(),
            JsonArray { Count: 0 } => [],
            _ => throw Unconvertible(name, "map[string]interface {}"),
        };

    /// <summary>Names with texts, as an object or as <c>name=text</c>; null where it is absent.</summary>
    public JsonObject? Pairs(string name)
    {
        if (Body[name] is not { } node)
        {
            return null;
        }

        var pairs = new JsonObject();
        if (node is JsonObject map)
        {
            foreach (var (key, value) in map)
            {
                pairs[key] = Text(value) ?? throw Item(name, 0, Unconvertible(node, "string"));
            }

            return pairs;
        }

        var items = node is JsonArray ? List(name) : [Text(name)];
        foreach (var (at, item) in items.Index())
        {
            pairs[item.Split('=')[0].Trim()] = item.Split('=', 2) is [_, var value]
                ? value.Trim()
                : throw Invalid(name, $"invalid key pair at index {at} in field \"{name}\"");
        }

        return pairs;
    }

    private IReadOnlyList<string> Items(string name, string type) =>
        Body[name] switch
        {
            null => [],
            JsonObject { Count: 0 } => [],
            JsonObject map => throw Item(name, 0, Unconvertible(map, type)),
            JsonArray array =>
            [
                .. array.Select((item, at) => Text(item) ?? throw Item(name, at, Unconvertible(item!, type))),
            ],
            _ => [.. Text(name).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)],
        };

    private DevVaultRefusal Unconvertible(string name, string type) =>
        Invalid(name, $"'' {Unconvertible(Body[name]!, type)}");

    private DevVaultRefusal Item(string name, int at, string fault) =>
        Invalid(name, $"decoding failed due to the following error(s):\n\n'[{at}]' {fault}");

    private DevVaultRefusal Invalid(string name, string fault) =>
        new(
            400,
            $"{(Validated ? "Field validation failed: " : "")}error converting input for field \"{name}\": {fault}"
        );

    private static string Unconvertible(JsonNode node, string type) =>
        $"expected type '{type}', got unconvertible type '"
        + node.GetValueKind() switch
        {
            JsonValueKind.Array => "[]interface {}",
            JsonValueKind.Object => "map[string]interface {}",
            JsonValueKind.Number => "json.Number",
            JsonValueKind.String => "string",
            _ => "bool",
        }
        + "'";

    private static string? Text(JsonNode? node) =>
        node?.GetValueKind() switch
        {
            null => "",
            JsonValueKind.String => node.GetValue<string>(),
            JsonValueKind.Number => node.ToJsonString(),
            JsonValueKind.True => "1",
            JsonValueKind.False => "0",
            _ => null,
        };

    private static string? Number(string text, out int number)
    {
        number = 0;
        if (
            text.Length == 0
            || int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)
        )
        {
            return null;
        }

        return "cannot parse value as 'int': strconv.ParseInt: "
            + (text.TrimStart('-', '+').All(char.IsAsciiDigit) ? "value out of range" : "invalid syntax");
    }
}
