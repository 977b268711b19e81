using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;

namespace CredBroker.Core.Text;

/// <summary>
/// Reads JSON that somebody else wrote and that two readers must not understand differently: valid UTF-8 without a byte
/// order mark, bounded depth, no member twice at any level (compared after unescaping), no U+0000 and no half of a
/// surrogate pair.
/// </summary>
public static class StrictJson
{
    /// <summary>The deepest nesting that is read.</summary>
    public const int MaxDepth = 16;

    private static readonly JsonDocumentOptions Options = new()
    {
        AllowDuplicateProperties = false,
        MaxDepth = MaxDepth,
    };

    /// <summary>Reads a JSON object; the caller disposes the document.</summary>
    public static bool TryReadObject(ReadOnlyMemory<byte> utf8, [NotNullWhen(true)] out JsonDocument? document)
    {
        document = null;
        if (!Utf8.IsValid(utf8.Span) || !EscapesAreText(utf8.Span))
        {
            return false;
        }

        try
        {
            var read = JsonDocument.Parse(utf8, Options);
            if (read.RootElement.ValueKind == JsonValueKind.Object)
            {
                document = read;
                return true;
            }

            read.Dispose();
            return false;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // A backslash occurs only inside strings, so the raw text can be scanned; anything that is no well-formed escape is
    // left for the parser to refuse.
    private static bool EscapesAreText(ReadOnlySpan<byte> json)
    {
        for (int at; (at = json.IndexOf((byte)'\\')) >= 0; )
        {
            json = json[at..];
            if (!TryUnicodeEscape(json, out var unit))
            {
                json = json[Math.Min(2, json.Length)..];
                continue;
            }

            json = json[6..];
            if (unit == '\0' || char.IsLowSurrogate(unit))
            {
                return false;
            }

            if (!char.IsHighSurrogate(unit))
            {
                continue;
            }

            if (!TryUnicodeEscape(json, out var low) || !char.IsLowSurrogate(low))
            {
                return false;
            }

            json = json[6..];
        }

        return true;
    }

    private static bool TryUnicodeEscape(ReadOnlySpan<byte> json, out char unit)
    {
        unit = default;
        if (json.Length < 6 || json[0] != '\\' || json[1] != 'u')
        {
            return false;
        }

        var value = 0;
        foreach (var digit in json[2..6])
        {
            if (!char.IsAsciiHexDigit((char)digit))
            {
                return false;
            }

            value = (value << 4) | Convert.ToInt32(((char)digit).ToString(), 16);
        }

        unit = (char)value;
        return true;
    }
}
