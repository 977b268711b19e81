using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace CredBroker.Cel.Patterns;

/// <summary>
/// Regular expressions as CEL means them (RE2), on .NET's linear-time engine. The two differ where it matters to a
/// guard: in .NET <c>$</c> also matches before a final line feed and <c>\d</c> takes every script's digits. So a
/// pattern is translated from a strict subset that means the same in RE2 and here, and anything else is refused.
/// </summary>
public sealed partial class SafePattern
{
    private const int MaxLength = 1_000;

    // What all repetitions together may unroll to.
    private const int MaxSize = 5_000;

    private readonly string _pattern;
    private readonly StringBuilder _translated = new();
    private int _position;
    private int _nesting;

    private SafePattern(string pattern) => _pattern = pattern;

    /// <summary>
    /// Compiles a pattern of at most 1,000 characters whose repetitions unroll to at most 5,000 states, or says why
    /// not. Matching takes time linear in the text (<see cref="RegexOptions.NonBacktracking"/>).
    /// </summary>
    public static bool TryCompile(string pattern, out Regex regex, out string fault)
    {
        regex = null!;
        if (pattern.Length > MaxLength)
        {
            fault = $"a pattern has at most {MaxLength} characters";
            return false;
        }

        try
        {
            var translation = new SafePattern(pattern);
            translation.Alternatives();
            if (translation._position < pattern.Length)
            {
                throw new FormatException("there is a ) without its (");
            }

            regex = new(
                translation._translated.ToString(),
                RegexOptions.NonBacktracking | RegexOptions.CultureInvariant
            );
            fault = "";
            return true;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or NotSupportedException)
        {
            fault = exception is FormatException ? exception.Message : "the pattern is not valid";
            return false;
        }
    }

    // Returns the size: how many states it stands for once its repetitions are unrolled.
    private int Alternatives()
    {
        if (++_nesting > 50)
        {
            throw new FormatException("the pattern nests too deep");
        }

        var size = 0;
        while (true)
        {
            while (_position < _pattern.Length && _pattern[_position] is not ('|' or ')'))
            {
                size = Checked(size + Repeated());
            }

            if (_position == _pattern.Length || _pattern[_position] == ')')
            {
                _nesting--;
                return size + 1;
            }

            _translated.Append(_pattern[_position++]);
        }
    }

    private int Repeated()
    {
        var size = Atom();
        var quantifiers = 0;
        while (_position < _pattern.Length && _pattern[_position] is '*' or '+' or '?' or '{')
        {
            if (++quantifiers > 1)
            {
                throw new FormatException("a repetition of a repetition needs brackets: (?:a*)*");
            }

            var times = 1;
            if (_pattern[_position] == '{')
            {
                times = Bounds();
            }
            else
            {
                _translated.Append(_pattern[_position++]);
            }

            if (_position < _pattern.Length && _pattern[_position] == '?')
            {
                _translated.Append(_pattern[_position++]);
            }

            size = Checked((long)size * Math.Max(1, times));
        }

        return size;
    }

    private int Bounds()
    {
        var end = _pattern.IndexOf('}', _position);
        var parts = end < 0 ? [] : _pattern[(_position + 1)..end].Split(',');
        var minimum = parts.Length is 1 or 2 ? Bound(parts[0]) : -1;
        var maximum = parts.Length == 2 && parts[1].Length > 0 ? Bound(parts[1]) : minimum;
        if (minimum < 0 || maximum < minimum)
        {
            throw new FormatException(
                "a repetition is {n}, {n,} or {n,m} with numbers up to 1000; a brace itself is \\{"
            );
        }

        _translated.Append(_pattern, _position, end - _position + 1);
        _position = end + 1;
        return maximum;

        static int Bound(string text) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value <= 1_000
                ? value
                : -1;
    }

    private int Atom()
    {
        var current = _pattern[_position++];
        switch (current)
        {
            case '(':
                return Group();
            case '[':
                _translated.Append(Class());
                return 2;
            case '\\':
                _translated.Append(Escape(inClass: false));
                return 1;
            case '$':
                _translated.Append("\\z");
                return 0;
            case '^':
                _translated.Append('^');
                return 0;
            case '.':
                _translated.Append(AnyBut("\\n"));
                return 2;
            case '*' or '+' or '?' or '{' or '}' or ']':
                throw new FormatException(
                    $"{current} stands where nothing can be repeated or closed; as a character it is \\{current}"
                );
            default:
                Literal(current);
                return 1;
        }
    }

    private int Group()
    {
        var rest = _pattern.AsSpan(_position);
        if (rest.StartsWith("?i)", StringComparison.Ordinal) && _position == 1)
        {
            _position += 3;
            _translated.Append("(?i)");
            return 0;
        }

        if (rest.StartsWith("?:", StringComparison.Ordinal))
        {
            _position += 2;
        }
        else if (rest.StartsWith("?", StringComparison.Ordinal))
        {
            throw new FormatException("of the groups that begin with (? only (?: and a leading (?i) are supported");
        }

        _translated.Append("(?:");
        var size = Alternatives();
        if (_position == _pattern.Length)
        {
            throw new FormatException("there is a ( without its )");
        }

        _position++;
        _translated.Append(')');
        return size;
    }

    private void Literal(char current)
    {
        if (char.IsHighSurrogate(current) && _position < _pattern.Length && char.IsLowSurrogate(_pattern[_position]))
        {
            // Beyond the BMP a character is two units to .NET: group them, so that a repetition takes both.
            _translated.Append(CultureInfo.InvariantCulture, $"(?:{current}{_pattern[_position++]})");
            return;
        }

        _translated.Append(current is '#' or ' ' ? $"\\u{(int)current:X4}" : current.ToString());
    }

    private static int Checked(long size) =>
        size <= MaxSize ? (int)size : throw new FormatException("the pattern's repetitions unroll to too much");
}
