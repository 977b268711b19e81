using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CredBroker.Core.Text;

/// <summary>
/// Writes JSON in the one form that RFC 8785 (JCS) gives it: no white space, members in the order of their names' UTF-16
/// units, the shortest escapes, and numbers as ECMAScript writes the double that they are. Text that is no Unicode
/// throws: it has no such form.
/// </summary>
internal static class CanonicalJson
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>
    /// The form of RFC 8785. It knows numbers as doubles alone, so that two that no double tells apart look the same; one
    /// that is larger than any double throws.
    /// </summary>
    public static byte[] Rfc8785(JsonElement value) => Utf8.GetBytes(Text(value, exact: false));

    /// <summary>
    /// The same, but a number that no double holds keeps all of its digits, in a way in which the RFC writes none. So two
    /// values of which one could be read as another never have one form. Where a double holds each number, this is the
    /// form of RFC 8785.
    /// </summary>
    public static byte[] Exact(JsonElement value) => Utf8.GetBytes(ExactText(value));

    /// <summary>As <see cref="Exact"/>, as text.</summary>
    public static string ExactText(JsonElement value) => Text(value, exact: true);

    private static string Text(JsonElement value, bool exact)
    {
        var text = new StringBuilder();
        Write(value, exact, text);
        return text.ToString();
    }

    private static void Write(JsonElement value, bool exact, StringBuilder to)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                to.Append('{');
                // A name that stands twice is refused where JSON comes in; should one be here, both are written.
                foreach (var member in value.EnumerateObject().OrderBy(one => one.Name, StringComparer.Ordinal))
                {
                    to.Append(to[^1] == '{' ? "" : ",");
                    Write(member.Name, to);
                    to.Append(':');
                    Write(member.Value, exact, to);
                }

                to.Append('}');
                break;
            case JsonValueKind.Array:
                to.Append('[');
                foreach (var item in value.EnumerateArray())
                {
                    to.Append(to[^1] == '[' ? "" : ",");
                    Write(item, exact, to);
                }

                to.Append(']');
                break;
            case JsonValueKind.String:
                Write(value.GetString()!, to);
                break;
            case JsonValueKind.Number:
                to.Append(Number(value.GetRawText(), exact));
                break;
            case JsonValueKind.True:
                to.Append("true");
                break;
            case JsonValueKind.False:
                to.Append("false");
                break;
            case JsonValueKind.Null:
                to.Append("null");
                break;
            default:
                throw new ArgumentException("There is no value.", nameof(value));
        }
    }

    private static void Write(string text, StringBuilder to)
    {
        to.Append('"');
        foreach (var character in text)
        {
            switch (character)
            {
                case '"' or '\\':
                    to.Append('\\').Append(character);
                    break;
                case '\b':
                    to.Append("\\b");
                    break;
                case '\t':
                    to.Append("\\t");
                    break;
                case '\n':
                    to.Append("\\n");
                    break;
                case '\f':
                    to.Append("\\f");
                    break;
                case '\r':
                    to.Append("\\r");
                    break;
                case < ' ':
                    to.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
                    break;
                default:
                    to.Append(character);
                    break;
            }
        }

        to.Append('"');
    }

    private static string Number(string written, bool exact)
    {
        var number = double.Parse(written, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (double.IsFinite(number))
        {
            var shortest = DecimalNumber.Of(number.ToString("R", CultureInfo.InvariantCulture));
            if (!exact || shortest == DecimalNumber.Of(written))
            {
                return shortest.ToEcmaScript();
            }
        }
        else if (!exact)
        {
            throw new ArgumentException("A number is larger than any double.", nameof(written));
        }

        return DecimalNumber.Of(written).ToAllDigits();
    }
}
