using System.Text.Json;
using System.Text.RegularExpressions;

namespace CredBroker.Core.Policy;

/// <summary>
/// The JSON Schema of a tool's arguments: a strict subset (no references, no combinators), so that checking is linear
/// in what was sent and nothing in a schema is ignored in silence.
/// </summary>
internal sealed partial class ArgumentSchema
{
    public const int MaxLength = 64 * 1024;

    private JsonTypes _types = JsonTypes.Any;
    private Dictionary<string, ArgumentSchema>? _properties;
    private string[] _required = [];
    private bool _allowsOthers = true;
    private ArgumentSchema? _others;
    private JsonElement[]? _values;
    private double _minimum = double.NegativeInfinity;
    private double _maximum = double.PositiveInfinity;
    private double _above = double.NegativeInfinity;
    private double _below = double.PositiveInfinity;
    private int _minLength;
    private int _maxLength = int.MaxValue;
    private Regex? _pattern;
    private ArgumentSchema? _items;
    private int _minItems;
    private int _maxItems = int.MaxValue;

    /// <summary>
    /// Where the arguments do not fit and which keyword says so, as in <c>arguments.amount fails maximum</c>; null
    /// where they fit. Names no bound.
    /// </summary>
    public string? Check(JsonElement arguments) => Check(arguments, "arguments");

    /// <summary>
    /// Whether the schema says something of the member that these names lead to. One that is only not forbidden is not
    /// declared.
    /// </summary>
    public bool Declares(ReadOnlySpan<string> names) =>
        names.IsEmpty || (_properties?.GetValueOrDefault(names[0]) ?? _others)?.Declares(names[1..]) == true;

    private string? Check(JsonElement value, string path)
    {
        if ((_types & TypesOf(value)) == 0)
        {
            return $"{path} fails type";
        }

        if (_values is not null && !Array.Exists(_values, allowed => JsonElement.DeepEquals(allowed, value)))
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

        return number switch
        {
            _ when number < _minimum => $"{path} fails minimum",
            _ when number > _maximum => $"{path} fails maximum",
            _ when number <= _above => $"{path} fails exclusiveMinimum",
            _ when number >= _below => $"{path} fails exclusiveMaximum",
            _ => null,
        };
    }

    private string? CheckText(JsonElement value, string path)
    {
        if (_minLength == 0 && _maxLength == int.MaxValue && _pattern is null)
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
        return length switch
        {
            _ when length < _minLength => $"{path} fails minLength",
            _ when length > _maxLength => $"{path} fails maxLength",
            _ when _pattern?.IsMatch(text) is false => $"{path} fails pattern",
            _ => null,
        };
    }

    private string? CheckList(JsonElement value, string path)
    {
        var count = value.GetArrayLength();
        if (count < _minItems || count > _maxItems)
        {
            return $"{path} fails {(count < _minItems ? "minItems" : "maxItems")}";
        }

        if (_items is null)
        {
            return null;
        }

        var index = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (_items.Check(item, $"{path}[{index++}]") is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private string? CheckObject(JsonElement value, string path)
    {
        foreach (var name in _required)
        {
            if (!value.TryGetProperty(name, out _))
            {
                return $"{path} lacks {name}";
            }
        }

        if (_properties is null && _allowsOthers && _others is null)
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
            var schema = _properties?.GetValueOrDefault(name) ?? _others;
            if (schema is null && !_allowsOthers)
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

    private static JsonTypes TypesOf(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => JsonTypes.Object,
            JsonValueKind.Array => JsonTypes.Array,
            JsonValueKind.String => JsonTypes.String,
            JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
            JsonValueKind.Number => value.TryGetInt64(out _)
            || (value.TryGetDouble(out var number) && double.IsInteger(number))
                ? JsonTypes.Number | JsonTypes.Integer
                : JsonTypes.Number,
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
