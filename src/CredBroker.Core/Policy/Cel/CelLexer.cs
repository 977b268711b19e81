namespace CredBroker.Core.Policy.Cel;

/// <summary>Splits a condition into tokens. Throws <see cref="CelSyntaxException"/>.</summary>
internal sealed class CelLexer(string source)
{
    // Longest first.
    private static readonly string[] Symbols =
        ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"];

    private int position;

    public CelToken Next()
    {
        SkipSpace();
        var start = position;
        if (start == source.Length)
        {
            return new(CelTokenKind.End, start, "");
        }

        var current = source[start];
        if (IsLetter(current))
        {
            return CelStringLiteral.TryRead(source, ref position, out var value) ? new(CelTokenKind.Literal, start, "", value) : Word();
        }

        if (char.IsAsciiDigit(current) || (current == '.' && start + 1 < source.Length && char.IsAsciiDigit(source[start + 1])))
        {
            return Number();
        }

        if (current is '"' or '\'')
        {
            CelStringLiteral.TryRead(source, ref position, out var value);
            return new(CelTokenKind.Literal, start, "", value);
        }

        return current == '`' ? QuotedName() : Symbol();
    }

    private void SkipSpace()
    {
        while (position < source.Length)
        {
            if (source[position] is ' ' or '\t' or '\n' or '\r' or '\f')
            {
                position++;
            }
            else if (source[position] == '/' && position + 1 < source.Length && source[position + 1] == '/')
            {
                var end = source.IndexOf('\n', position);
                position = end < 0 ? source.Length : end;
            }
            else
            {
                return;
            }
        }
    }

    private CelToken Word()
    {
        var start = position;
        while (position < source.Length && (IsLetter(source[position]) || char.IsAsciiDigit(source[position])))
        {
            position++;
        }

        var text = source[start..position];
        return new(text is "in" or "true" or "false" or "null" ? CelTokenKind.Symbol : CelTokenKind.Name, start, text);
    }

    private CelToken QuotedName()
    {
        var start = position++;
        var end = source.IndexOf('`', position);
        if (end < 0)
        {
            throw new CelSyntaxException(start, "the ` has no closing `");
        }

        var text = source[position..end];
        position = end + 1;
        return text.Length > 0 && text.All(static c => IsLetter(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '/' or ' ')
            ? new(CelTokenKind.QuotedName, start, text)
            : throw new CelSyntaxException(start, "a name in `` takes letters, digits and _ . - / and space");
    }

    private CelToken Number()
    {
        var start = position;
        if (source[position] == '0' && position + 1 < source.Length && source[position + 1] is 'x' or 'X')
        {
            position += 2;
            SkipWhile(char.IsAsciiHexDigit);
            return Integer(start);
        }

        SkipWhile(char.IsAsciiDigit);
        var isDouble = false;
        if (position + 1 < source.Length && source[position] == '.' && char.IsAsciiDigit(source[position + 1]))
        {
            isDouble = true;
            position++;
            SkipWhile(char.IsAsciiDigit);
        }

        if (position < source.Length && source[position] is 'e' or 'E')
        {
            isDouble = true;
            position++;
            if (position < source.Length && source[position] is '+' or '-')
            {
                position++;
            }

            if (!SkipWhile(char.IsAsciiDigit))
            {
                throw new CelSyntaxException(start, "the exponent has no digits");
            }
        }

        return isDouble ? EndOfNumber(new(CelTokenKind.Double, start, source[start..position])) : Integer(start);
    }

    private CelToken Integer(int start)
    {
        var text = source[start..position];
        if (position < source.Length && source[position] is 'u' or 'U')
        {
            position++;
            return EndOfNumber(new(CelTokenKind.Uint, start, text));
        }

        return EndOfNumber(new(CelTokenKind.Int, start, text));
    }

    private CelToken EndOfNumber(CelToken token) =>
        position < source.Length && (IsLetter(source[position]) || char.IsAsciiDigit(source[position]))
            ? throw new CelSyntaxException(position, "a number ends in a letter")
            : token;

    private CelToken Symbol()
    {
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(source, position, symbol, 0, symbol.Length) == 0)
            {
                position += symbol.Length;
                return new(CelTokenKind.Symbol, position - symbol.Length, symbol);
            }
        }

        throw new CelSyntaxException(position, source[position] switch
        {
            '=' => "a single = is no operator; equality is ==",
            '&' => "a single & is no operator; \"and\" is &&",
            '|' => "a single | is no operator; \"or\" is ||",
            var other when char.IsControl(other) || char.IsSurrogate(other) => $"the character U+{(int)other:X4} stands outside a string",
            var other => $"the character {other} means nothing here",
        });
    }

    private bool SkipWhile(Func<char, bool> accepts)
    {
        var start = position;
        while (position < source.Length && accepts(source[position]))
        {
            position++;
        }

        return position > start;
    }

    private static bool IsLetter(char c) => char.IsAsciiLetter(c) || c == '_';
}
