using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CredBroker.Server.Endpoints.Input;

/// <summary>
/// Checks that a JSON text holds nothing that would travel badly: control characters and U+0000, lone surrogates,
/// numbers that lose digits in a double. Runs over the bytes before anything is bound, so it also covers what is only
/// carried along (a tool call's arguments).
/// </summary>
internal static class RequestJson
{
    /// <summary>
    /// Deeper nesting is refused; the deepest record of the API has six levels, the rest is for a tool call's
    /// arguments.
    /// </summary>
    public const int MaxDepth = 32;

    private const long SafeInteger = 1L << 53;

    /// <summary>Null when the text is acceptable, else what is wrong with it.</summary>
    public static string? Fault(ReadOnlySpan<byte> json)
    {
        // Line breaks and tabs belong to a PEM block, to a tool call's arguments (AuthZEN calls them properties) and to a
        // policy document with its schemas, and nowhere else.
        Span<bool> lines = stackalloc bool[MaxDepth + 1];
        var next = false;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        lines[reader.CurrentDepth + 1] = next || lines[reader.CurrentDepth];
                        next = false;
                        break;
                    case JsonTokenType.PropertyName:
                        if (!IsText(ref reader, allowLines: false))
                        {
                            return "A member's name holds a control character or a lone surrogate.";
                        }

                        next =
                            reader.ValueTextEquals("csr"u8)
                            || reader.ValueTextEquals("arguments"u8)
                            || reader.ValueTextEquals("properties"u8)
                            || reader.ValueTextEquals("text"u8)
                            || reader.ValueTextEquals("schemas"u8);
                        break;
                    case JsonTokenType.String when !IsText(ref reader, next || lines[reader.CurrentDepth]):
                        return $"The text at byte {reader.TokenStartIndex.ToString(CultureInfo.InvariantCulture)} "
                            + "holds a control character or a lone surrogate.";
                    case JsonTokenType.Number when !IsSafe(ref reader):
                        return $"The number at byte {reader.TokenStartIndex.ToString(CultureInfo.InvariantCulture)} "
                            + "lies beyond ±2^53; send it as text.";
                    default:
                        next = false;
                        break;
                }
            }

            return null;
        }
        catch (JsonException e)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"The body is no valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine}), "
                    + $"or nested deeper than {MaxDepth} levels."
            );
        }
    }

    private static bool IsText(ref Utf8JsonReader reader, bool allowLines)
    {
        if (!reader.ValueIsEscaped && Ascii.IsValid(reader.ValueSpan))
        {
            // JSON itself forbids the raw characters below U+0020.
            return !reader.ValueSpan.Contains((byte)0x7F);
        }

        var buffer = ArrayPool<char>.Shared.Rent(reader.ValueSpan.Length);
        try
        {
            foreach (var c in buffer.AsSpan(0, reader.CopyString(buffer)))
            {
                if (char.IsControl(c) && !(allowLines && c is '\n' or '\r' or '\t'))
                {
                    return false;
                }
            }

            return true;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, or bytes that are no UTF-8.
            return false;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }

    private static bool IsSafe(ref Utf8JsonReader reader)
    {
        if (reader.TryGetInt64(out var integer))
        {
            return integer is >= -SafeInteger and <= SafeInteger;
        }

        return reader.ValueSpan.IndexOfAny("."u8[0], "e"u8[0], "E"u8[0]) >= 0
            && reader.TryGetDouble(out var real)
            && Math.Abs(real) <= SafeInteger
            && (!reader.TryGetDecimal(out var exact) || Math.Abs(exact) <= SafeInteger);
    }
}
