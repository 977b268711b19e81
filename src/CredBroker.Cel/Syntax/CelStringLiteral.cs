using System.Globalization;
using System.Text;

namespace CredBroker.Cel.Syntax;

/// <summary>
/// String and bytes literals: <c>'…' "…" '''…''' """…"""</c>, with <c>r</c> for raw and <c>b</c> for bytes in front, in
/// either order and case.
/// </summary>
internal static class CelStringLiteral
{
    private static readonly UTF8Encoding StrictUtf8 = new(
        encoderShouldEmitUTF8Identifier: false,
        throwOnInvalidBytes: true
    );

    /// <summary>
    /// Reads the literal that begins here. False, with the position unmoved, where none begins. Throws
    /// <see cref="CelSyntaxException"/>.
    /// </summary>
    public static bool TryRead(string source, ref int position, out CelValue value)
    {
        var at = position;
        bool isRaw = false,
            isBytes = false;
        while (at < source.Length && source[at] is not ('"' or '\''))
        {
            switch (source[at++])
            {
                case 'r' or 'R' when !isRaw:
                    isRaw = true;
                    break;
                case 'b' or 'B' when !isBytes:
                    isBytes = true;
                    break;
                default:
                    value = default;
                    return false;
            }
        }

        if (at == source.Length)
        {
            value = default;
            return false;
        }

        var start = position;
        var quote = source[at];
        var isTriple = string.CompareOrdinal(source, at, new string(quote, 3), 0, 3) == 0;
        var content = new Content(isBytes);
        at += isTriple ? 3 : 1;
        while (true)
        {
            if (at >= source.Length || (!isTriple && source[at] is '\n' or '\r'))
            {
                throw new CelSyntaxException(start, "the string has no closing quote");
            }

            if (
                source[at] == quote
                && (!isTriple || string.CompareOrdinal(source, at, new string(quote, 3), 0, 3) == 0)
            )
            {
                position = at + (isTriple ? 3 : 1);
                value = content.ToValue(start);
                return true;
            }

            if (source[at] == '\\' && !isRaw)
            {
                at = Escape(source, at, content);
            }
            else
            {
                content.Append(source[at++]);
            }
        }
    }

    private static int Escape(string source, int start, Content content)
    {
        var letter = start + 1 < source.Length ? source[start + 1] : '\0';
        switch (letter)
        {
            case 'a':
                content.Append('\a');
                break;
            case 'b':
                content.Append('\b');
                break;
            case 'f':
                content.Append('\f');
                break;
            case 'n':
                content.Append('\n');
                break;
            case 'r':
                content.Append('\r');
                break;
            case 't':
                content.Append('\t');
                break;
            case 'v':
                content.Append('\v');
                break;
            case '\\' or '?' or '"' or '\'' or '`':
                content.Append(letter);
                break;
            case 'x' or 'X':
                return Code(source, start, start + 2, 2, 16, content.AppendOctet);
            case >= '0' and <= '3':
                return Code(source, start, start + 1, 3, 8, content.AppendOctet);
            case 'u' when !content.IsBytes:
                return Code(source, start, start + 2, 4, 16, content.AppendCodePoint);
            case 'U' when !content.IsBytes:
                return Code(source, start, start + 2, 8, 16, content.AppendCodePoint);
            default:
                throw new CelSyntaxException(
                    start,
                    "there is no such escape; a backslash is written \\\\, or the string as r\"…\""
                );
        }

        return start + 2;
    }

    private static int Code(string source, int start, int digits, int count, int radix, Func<int, uint, bool> append)
    {
        uint code = 0;
        for (var at = digits; at < digits + count; at++)
        {
            var digit =
                at < source.Length && char.IsAsciiHexDigit(source[at])
                    ? int.Parse(source.AsSpan(at, 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
                    : radix;
            if (digit >= radix)
            {
                throw new CelSyntaxException(start, $"the escape takes {count} digits");
            }

            code = (code * (uint)radix) + (uint)digit;
        }

        return append(start, code)
            ? digits + count
            : throw new CelSyntaxException(start, "the escape names no Unicode character");
    }

    /// <summary>What a literal holds: text, or octets.</summary>
    private sealed class Content(bool isBytes)
    {
        private readonly StringBuilder _text = new();
        private readonly List<byte> _octets = [];

        public bool IsBytes => isBytes;

        public void Append(char unit) => _text.Append(unit);

        // In a string an octet is a code point; in bytes it is itself.
        public bool AppendOctet(int start, uint code)
        {
            if (!isBytes)
            {
                return AppendCodePoint(start, code);
            }

            FlushText(start);
            _octets.Add((byte)code);
            return true;
        }

        public bool AppendCodePoint(int start, uint code)
        {
            if (!Rune.IsValid(code))
            {
                return false;
            }

            _text.Append(new Rune(code).ToString());
            return true;
        }

        public CelValue ToValue(int start)
        {
            FlushText(start);
            return isBytes ? CelValue.Of(_octets.ToArray()) : CelValue.Of(_text.ToString());
        }

        private void FlushText(int start)
        {
            try
            {
                var encoded = StrictUtf8.GetBytes(_text.ToString());
                if (isBytes)
                {
                    _octets.AddRange(encoded);
                    _text.Clear();
                }
            }
            catch (EncoderFallbackException)
            {
                throw new CelSyntaxException(start, "the string holds half of a surrogate pair");
            }
        }
    }
}
