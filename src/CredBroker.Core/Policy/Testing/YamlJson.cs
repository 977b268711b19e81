using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy.Testing;

/// <summary>
/// A claim or a tool's argument, as YAML writes it, turned into the JSON that the broker would receive. What YAML and
/// JSON read differently is a fault.
/// </summary>
internal sealed partial class YamlJson(PolicyFaultList faults)
{
    // Beyond it the broker takes no number, because readers disagree on which one it is.
    private const long SafeInteger = 1L << 53;

    /// <summary>The object that a mapping is; an empty one, and a fault, where it is something else.</summary>
    public JsonElement ObjectOf(YamlNode? node, string key)
    {
        if (node is not null and not YamlMapping)
        {
            faults.Add(node, $"`{key}` must be a mapping, not {node.Kind}");
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            Write(node as YamlMapping ?? new YamlMapping(0, 0), json);
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }

    // The document's nesting is capped, and with it this.
    private void Write(YamlNode node, Utf8JsonWriter json)
    {
        switch (node)
        {
            case YamlMapping mapping:
                json.WriteStartObject();
                var seen = new HashSet<string>(StringComparer.Ordinal);
                foreach (var (name, value) in mapping.Entries)
                {
                    if (!seen.Add(name.Text))
                    {
                        faults.Add(name, $"the key `{name.Text}` stands here twice");
                        continue;
                    }

                    json.WritePropertyName(TextOf(name));
                    Write(value, json);
                }

                json.WriteEndObject();
                break;
            case YamlSequence sequence:
                json.WriteStartArray();
                foreach (var item in sequence.Items)
                {
                    Write(item, json);
                }

                json.WriteEndArray();
                break;
            case YamlScalar scalar:
                WriteScalar(scalar, json);
                break;
        }
    }

    private void WriteScalar(YamlScalar scalar, Utf8JsonWriter json)
    {
        switch (scalar)
        {
            case { IsNull: true }:
                json.WriteNullValue();
                break;
            case { IsPlain: true, Text: "true" or "false" }:
                json.WriteBooleanValue(scalar.Text == "true");
                break;
            case { IsPlain: true } when JsonNumber().IsMatch(scalar.Text):
                if (!IsSafe(scalar.Text))
                {
                    faults.Add(scalar, "a number beyond ±2^53 is not accepted; write it in quotes, as a text");
                }

                json.WriteRawValue(scalar.Text);
                break;
            default:
                if (scalar.IsPlain && YamlOnly().IsMatch(scalar.Text))
                {
                    faults.Add(
                        scalar,
                        $"YAML and JSON read `{scalar.Text}` differently: write it as JSON does, or in quotes"
                    );
                }

                json.WriteStringValue(TextOf(scalar));
                break;
        }
    }

    /// <summary>As the broker bounds a request's numbers: digits that a double loses count, too.</summary>
    private static bool IsSafe(string number)
    {
        if (long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            return whole is >= -SafeInteger and <= SafeInteger;
        }

        return number.AsSpan().ContainsAny(".eE")
            && Math.Abs(double.Parse(number, CultureInfo.InvariantCulture)) <= SafeInteger
            && (
                !decimal.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact)
                || Math.Abs(exact) <= SafeInteger
            );
    }

    /// <summary>An escape can write what is no Unicode, and JSON cannot carry it.</summary>
    private string TextOf(YamlScalar scalar)
    {
        if (UnicodeText.IsValid(scalar.Text) && !scalar.Text.Contains('\0', StringComparison.Ordinal))
        {
            return scalar.Text;
        }

        faults.Add(scalar, "the text holds U+0000 or half of a surrogate pair");
        return "";
    }

    [GeneratedRegex(
        @"\A-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture
    )]
    private static partial Regex JsonNumber();

    // Numbers and truth values of YAML 1.1 and 1.2 that JSON has not.
    [GeneratedRegex(
        @"\A([+-]?\.?[0-9][0-9_]*(\.[0-9_]*)?([eE][+-]?[0-9]+)?|0o[0-7]+|[+-]?0x[0-9a-fA-F]+|[+-]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
            + @"|True|TRUE|False|FALSE|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture
    )]
    private static partial Regex YamlOnly();
}
