namespace CredBroker.Cel.Syntax;

/// <summary>Splits a condition into tokens. Throws <see cref="CelSyntaxException"/>.</summary>
internal sealed class CelLexer(string source)
{
    // Longest first.
    private static readonly string[] Symbols =
    [
        "&&",
        "||",
        "==",
        "!=",
        "<=",
        ">=",
        "<",
        ">",
        "+",
        "-",
        "*",
        "/",
        "%",
        "!",
        "?",
        ":",
        ".",
        ",",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
    ];

    private int _position;

    public CelToken Next()
    {
        SkipSpace();
        var start = _position;
        if (start == source.Length)
        {
            return new(CelTokenKind.End, start, "");
        }

        var current = source[start];
        if (IsLetter(current))
        {
            return CelStringLiteral.TryRead(source, ref _position, out var value)
                ? new(CelTokenKind.Literal, start, "", value)
                : Word();
        }

        if (
            char.IsAsciiDigit(current)
            || (current == '.' && start + 1 < source.Length && char.IsAsciiDigit(source[start + 1]))
        )
        {
            return Number();
        }

        if (current is '"' or '\'')
        {
            CelStringLiteral.TryRead(source, ref _position, out var value);
            return new(CelTokenKind.Literal, start, "", value);
        }

        return current == '`' ? QuotedName() : Symbol();
    }

    private void SkipSpace()
    {
        while (_position < source.Length)
        {
            if (source[_position] is ' ' or '\t' or '\n' or '\r' or '\f')
            {
                _position++;
            }
            else if (source[_position] == '/' && _position + 1 < source.Length && source[_position + 1] == '/')
            {
                var end = source.IndexOf('\n', _position);
                _position = end < 0 ? source.Length : end;
            }
            else
            {
                return;
            }
        }
    }

    private CelToken Word()
    {
        var start = _position;
        while (_position < source.Length && (IsLetter(source[_position]) || char.IsAsciiDigit(source[_position])))
        {
            _position++;
        }

        var text = source[start.._position];
        return new(text is "in" or "true" or "false" or "null" ? CelTokenKind.Symbol : CelTokenKind.Name, start, text);
    }

    private CelToken QuotedName()
    {
        var start = _position++;
        var end = source.IndexOf('`', _position);
        if (end < 0)
        {
            throw new CelSyntaxException(start, "the ` has no closing `");
        }

        var text = source[_position..end];
        _position = end + 1;
        return
            text.Length > 0
            && text.All(static c => IsLetter(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '/' or ' ')
            ? new(CelTokenKind.QuotedName, start, text)
            : throw new CelSyntaxException(start, "a name in `` takes letters, digits and _ . - / and space");
    }

    private CelToken Number()
    {
        var start = _position;
        if (source[_position] == '0' && _position + 1 < source.Length && source[_position + 1] is 'x' or 'X')
        {
            _position += 2;
            SkipWhile(char.IsAsciiHexDigit);
            return Integer(start);
        }

        SkipWhile(char.IsAsciiDigit);
        var isDouble = false;
        if (_position + 1 < source.Length && source[_position] == '.' && char.IsAsciiDigit(source[_position + 1]))
        {
            isDouble = true;
            _position++;
            SkipWhile(char.IsAsciiDigit);
        }

        if (_position < source.Length && source[_position] is 'e' or 'E')
        {
            isDouble = true;
            _position++;
            if (_position < source.Length && source[_position] is '+' or '-')
            {
                _position++;
            }

            if (!SkipWhile(char.IsAsciiDigit))
            {
                throw new CelSyntaxException(start, "the exponent has no digits");
            }
        }

        return isDouble ? EndOfNumber(new(CelTokenKind.Double, start, source[start.._position])) : Integer(start);
    }

    private CelToken Integer(int start)
    {
        var text = source[start.._position];
        if (_position < source.Length && source[_position] is 'u' or 'U')
        {
            _position++;
            return EndOfNumber(new(CelTokenKind.Uint, start, text));
        }

        return EndOfNumber(new(CelTokenKind.Int, start, text));
    }

    private CelToken EndOfNumber(CelToken token) =>
        _position < source.Length && (IsLetter(source[_position]) || char.IsAsciiDigit(source[_position]))
            ? throw new CelSyntaxException(_position, "a number ends in a letter")
            : token;

    private CelToken Symbol()
    {
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(source, _position, symbol, 0, symbol.Length) == 0)
            {
                _position += symbol.Length;
                return new(CelTokenKind.Symbol, _position - symbol.Length, symbol);
            }
        }

        throw new CelSyntaxException(
            _position,
            source[_position] switch
            {
                '=' => "a single = is no operator; equality is ==",
                '&' => "a single & is no operator; \"and\" is &&",
                '|' => "a single | is no operator; \"or\" is ||",
                var other when char.IsControl(other) || char.IsSurrogate(other) =>
                    $"the character U+{(int)other:X4} stands outside a string",
                var other => $"the character {other} means nothing here",
            }
        );
    }

    private bool SkipWhile(Func<char, bool> accepts)
    {
        var start = _position;
        while (_position < source.Length && accepts(source[_position]))
        {
            _position++;
        }

        return _position > start;
    }

    private static bool IsLetter(char c) => char.IsAsciiLetter(c) || c == '_';
}
