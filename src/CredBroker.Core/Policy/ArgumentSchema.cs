using System.Text.Json;
using System.Text.RegularExpressions;

namespace CredBroker.Core.Policy;

/// <summary>
/// The JSON Schema of a tool's arguments: a strict subset (no references, no combinators), so that checking is linear in what was sent and nothing in a schema is ignored in silence.
/// </summary>
internal sealed partial class ArgumentSchema
{
    public const int MaxLength = 64 * 1024;

    private JsonTypes types = JsonTypes.Any;
    private Dictionary<string, ArgumentSchema>? properties;
    private string[] required = [];
    private bool allowsOthers = true;
    private ArgumentSchema? others;
    private JsonElement[]? values;
    private double minimum = double.NegativeInfinity;
    private double maximum = double.PositiveInfinity;
    private double above = double.NegativeInfinity;
    private double below = double.PositiveInfinity;
    private int minLength;
    private int maxLength = int.MaxValue;
    private Regex? pattern;
    private ArgumentSchema? items;
    private int minItems;
    private int maxItems = int.MaxValue;

    /// <summary>Where the arguments do not fit and which keyword says so, as in <c>arguments.amount fails maximum</c>; null where they fit. Names no bound.</summary>
    public string? Check(JsonElement arguments) => Check(arguments, "arguments");

    private string? Check(JsonElement value, string path)
    {
        if ((types & TypesOf(value)) == 0)
        {
            return $"{path} fails type";
        }

        if (values is not null && !Array.Exists(values, allowed => JsonElement.DeepEquals(allowed, value)))
        {
            return $"{path} is none of the allowed values";
        }

        return value.ValueKind switch
        {
            JsonValueKind.Number => CheckNumber(value, path),
            JsonValueKind.String => CheckText(value, path),
            JsonValueKind.Array => CheckList(value, path),
            JsonValueKind.Object => CheckObject(value, path),
            _ => null,
        };
    }

    private string? CheckNumber(JsonElement value, string path)
    {
        if (!value.TryGetDouble(out var number) || !double.IsFinite(number))
        {
            return $"{path} is out of range";
        }

        return number < minimum ? $"{path} fails minimum"
            : number > maximum ? $"{path} fails maximum"
            : number <= above ? $"{path} fails exclusiveMinimum"
            : number >= below ? $"{path} fails exclusiveMaximum"
            : null;
    }

    private string? CheckText(JsonElement value, string path)
    {
        if (minLength == 0 && maxLength == int.MaxValue && pattern is null)
        {
            return null;
        }

        string text;
        try
        {
            text = value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return $"{path} is not valid Unicode";
        }

        var length = text.EnumerateRunes().Count();
        return length < minLength ? $"{path} fails minLength"
            : length > maxLength ? $"{path} fails maxLength"
            : pattern is not null && !pattern.IsMatch(text) ? $"{path} fails pattern"
            : null;
    }

    private string? CheckList(JsonElement value, string path)
    {
        var count = value.GetArrayLength();
        if (count < minItems || count > maxItems)
        {
            return $"{path} fails {(count < minItems ? "minItems" : "maxItems")}";
        }

        if (items is null)
        {
            return null;
        }

        var index = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (items.Check(item, $"{path}[{index++}]") is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private string? CheckObject(JsonElement value, string path)
    {
        foreach (var name in required)
        {
            if (!value.TryGetProperty(name, out _))
            {
                return $"{path} lacks {name}";
            }
        }

        if (properties is null && allowsOthers && others is null)
        {
            return null;
        }

        foreach (var member in value.EnumerateObject())
        {
            string name;
            try
            {
                name = member.Name;
            }
            catch (InvalidOperationException)
            {
                return $"{path} has a member whose name is not valid Unicode";
            }

            var shown = name.Length <= 50 ? name : name[..50];
            var schema = properties?.GetValueOrDefault(name) ?? others;
            if (schema is null && !allowsOthers)
            {
                return $"{path} takes no {shown}";
            }

            if (schema?.Check(member.Value, $"{path}.{shown}") is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private static JsonTypes TypesOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => JsonTypes.Object,
        JsonValueKind.Array => JsonTypes.Array,
        JsonValueKind.String => JsonTypes.String,
        JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
        JsonValueKind.Number => value.TryGetInt64(out _) || (value.TryGetDouble(out var number) && double.IsInteger(number)) ? JsonTypes.Number | JsonTypes.Integer : JsonTypes.Number,
        JsonValueKind.Null => JsonTypes.Null,
        _ => JsonTypes.None,
    };

    [Flags]
    private enum JsonTypes
    {
        None = 0,
        Object = 1,
        Array = 2,
        String = 4,
        Boolean = 8,
        Number = 16,
        Integer = 32,
        Null = 64,
        Any = 127,
    }
}
