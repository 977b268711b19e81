using System.Text;

namespace CredBroker.Cel.Patterns;

/// <content>Classes of characters, and the escapes that stand for some.</content>
public sealed partial class SafePattern
{
    private string Class()
    {
        var isNegated = _position < _pattern.Length && _pattern[_position] == '^';
        _position += isNegated ? 1 : 0;
        var content = new StringBuilder();
        while (true)
        {
            if (_position == _pattern.Length)
            {
                throw new FormatException("there is a [ without its ]");
            }

            var current = _pattern[_position++];
            switch (current)
            {
                case ']' when content.Length > 0:
                    return isNegated ? AnyBut(content.ToString()) : $"[{content}]";
                case '\\':
                    content.Append(Escape(inClass: true));
                    break;
                case '[' or ']' or '^' or '&' or '~':
                    throw new FormatException($"{current} inside [ ] is written \\{current}");
                case '-':
                    content.Append(Dash(isFirst: content.Length == 0));
                    break;
                case var unit when char.IsSurrogate(unit):
                    throw new FormatException(
                        "characters beyond U+FFFF cannot stand inside [ ]; write them as alternatives: (?:a|b)"
                    );
                default:
                    content.Append(current);
                    break;
            }
        }
    }

    // A dash is a range between two single characters, or itself at either end.
    private string Dash(bool isFirst)
    {
        var isLast = _position < _pattern.Length && _pattern[_position] == ']';
        if (isFirst || isLast)
        {
            return "\\-";
        }

        return _position < _pattern.Length && _pattern[_position] is not ('[' or '-')
            ? "-"
            : throw new FormatException(
                "a - inside [ ] stands between two characters or at an end; as a character it is \\-"
            );
    }

    // One character that is not in the set; beyond the BMP a character is two units to .NET.
    private static string AnyBut(string set) => $"(?:[\\uD800-\\uDBFF][\\uDC00-\\uDFFF]|[^{set}\\uD800-\\uDFFF])";

    private string Escape(bool inClass)
    {
        if (_position == _pattern.Length)
        {
            throw new FormatException("the pattern ends in a \\");
        }

        var letter = _pattern[_position++];
        return letter switch
        {
            'd' => inClass ? "0-9" : "[0-9]",
            'w' => inClass ? "0-9A-Za-z_" : "[0-9A-Za-z_]",
            's' => inClass ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]",
            'D' when !inClass => AnyBut("0-9"),
            'W' when !inClass => AnyBut("0-9A-Za-z_"),
            'S' when !inClass => AnyBut("\\t\\n\\f\\r "),
            'A' or 'z' when !inClass => $"\\{letter}",
            't' or 'n' or 'r' or 'f' or 'v' or 'a' => $"\\{letter}",
            _ when char.IsAscii(letter) && !char.IsAsciiLetterOrDigit(letter) && !char.IsControl(letter) =>
                $"\\u{(int)letter:X4}",
            _ => throw new FormatException($"the escape \\{letter} is not supported{(inClass ? " inside [ ]" : "")}"),
        };
    }
}
