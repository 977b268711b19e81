using System.Text.Json;
using CredBroker.Cel.Patterns;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <content>Reading a schema: every keyword that is not understood is a fault.</content>
internal sealed partial class ArgumentSchema
{
    private ArgumentSchema() { }

    /// <summary>
    /// Reads a schema, or reports every fault with its place as a JSON pointer. Never throws, whatever the text.
    /// </summary>
    public static ArgumentSchema? Load(string text, ICollection<string> faults)
    {
        if (text.Length > MaxLength)
        {
            faults.Add($"a schema has at most {MaxLength / 1024} KiB");
            return null;
        }

        if (!UnicodeText.IsValid(text))
        {
            faults.Add("the schema holds half of a surrogate pair: it is not Unicode");
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(text, new() { AllowDuplicateProperties = false, MaxDepth = 32 });
            var loader = new Loader(faults);
            var schema = loader.Read(document.RootElement.Clone(), "");
            if (schema._types != JsonTypes.Object)
            {
                faults.Add("the schema of a tool's arguments must say \"type\": \"object\"");
            }

            return loader.IsGood ? schema : null;
        }
        catch (JsonException exception)
        {
            faults.Add($"this is not JSON: {exception.Message}");
            return null;
        }
    }

    private sealed class Loader(ICollection<string> faults)
    {
        private readonly int _before = faults.Count;

        public bool IsGood => faults.Count == _before;

        public ArgumentSchema Read(JsonElement element, string pointer)
        {
            var schema = new ArgumentSchema();
            if (element.ValueKind != JsonValueKind.Object)
            {
                Fail(pointer, "a schema must be an object");
                return schema;
            }

            foreach (var keyword in element.EnumerateObject())
            {
                Read(schema, keyword.Name, keyword.Value, pointer);
            }

            return schema;
        }

        private void Read(ArgumentSchema schema, string keyword, JsonElement value, string pointer)
        {
            var at = $"{pointer}/{keyword}";
            switch (keyword)
            {
                case "$schema" or "title" or "description":
                    break;
                case "type":
                    schema._types = Types(value, at);
                    break;
                case "properties":
                    schema._properties = Properties(value, at);
                    break;
                case "required":
                    schema._required = Texts(value, at);
                    break;
                case "additionalProperties" when value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                    schema._allowsOthers = value.GetBoolean();
                    break;
                case "additionalProperties":
                    schema._others = Read(value, at);
                    break;
                case "enum" when value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0:
                    schema._values = [.. value.EnumerateArray()];
                    break;
                case "enum":
                    Fail(at, "must be a list with something in it");
                    break;
                case "const":
                    schema._values = [value];
                    break;
                case "minimum":
                    schema._minimum = Number(value, at);
                    break;
                case "maximum":
                    schema._maximum = Number(value, at);
                    break;
                case "exclusiveMinimum":
                    schema._above = Number(value, at);
                    break;
                case "exclusiveMaximum":
                    schema._below = Number(value, at);
                    break;
                case "minLength":
                    schema._minLength = Count(value, at);
                    break;
                case "maxLength":
                    schema._maxLength = Count(value, at);
                    break;
                case "pattern":
                    ReadPattern(schema, value, at);
                    break;
                case "items":
                    schema._items = Read(value, at);
                    break;
                case "minItems":
                    schema._minItems = Count(value, at);
                    break;
                case "maxItems":
                    schema._maxItems = Count(value, at);
                    break;
                default:
                    Fail(pointer, $"the keyword `{keyword}` is not supported");
                    break;
            }
        }

        private void ReadPattern(ArgumentSchema schema, JsonElement value, string at)
        {
            if (value.ValueKind != JsonValueKind.String)
            {
                Fail(at, "must be a text");
            }
            else if (!SafePattern.TryCompile(value.GetString()!, out schema._pattern!, out var fault))
            {
                Fail(at, fault);
            }
        }

        private JsonTypes Types(JsonElement value, string at)
        {
            var names = value.ValueKind == JsonValueKind.String ? [value.GetString()!] : Texts(value, at);
            var types = JsonTypes.None;
            foreach (var name in names)
            {
                types |= name switch
                {
                    "object" => JsonTypes.Object,
                    "array" => JsonTypes.Array,
                    "string" => JsonTypes.String,
                    "boolean" => JsonTypes.Boolean,
                    "number" => JsonTypes.Number | JsonTypes.Integer,
                    "integer" => JsonTypes.Integer,
                    "null" => JsonTypes.Null,
                    _ => Unknown(name),
                };
            }

            return types == JsonTypes.None ? JsonTypes.Any : types;

            JsonTypes Unknown(string name)
            {
                Fail(at, $"there is no type `{name}`");
                return JsonTypes.None;
            }
        }

        private Dictionary<string, ArgumentSchema> Properties(JsonElement value, string at)
        {
            if (value.ValueKind != JsonValueKind.Object)
            {
                Fail(at, "must be an object");
                return [];
            }

            return value
                .EnumerateObject()
                .ToDictionary(
                    member => member.Name,
                    member => Read(member.Value, $"{at}/{member.Name}"),
                    StringComparer.Ordinal
                );
        }

        private string[] Texts(JsonElement value, string at)
        {
            if (
                value.ValueKind == JsonValueKind.Array
                && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            )
            {
                return [.. value.EnumerateArray().Select(item => item.GetString()!)];
            }

            Fail(at, "must be a list of texts");
            return [];
        }

        private double Number(JsonElement value, string at)
        {
            if (
                value.ValueKind == JsonValueKind.Number
                && value.TryGetDouble(out var number)
                && double.IsFinite(number)
            )
            {
                return number;
            }

            Fail(at, "must be a number");
            return 0;
        }

        private int Count(JsonElement value, string at)
        {
            if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count) && count >= 0)
            {
                return count;
            }

            Fail(at, "must be a whole number that is not negative");
            return 0;
        }

        private void Fail(string pointer, string message) =>
            faults.Add($"{(pointer.Length == 0 ? "/" : pointer)}: {message}");
    }
}
