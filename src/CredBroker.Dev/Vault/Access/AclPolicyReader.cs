using System.Text;

namespace CredBroker.Dev.Vault.Access;

/// <summary>
/// Reads the part of HCL that policies are written in: <c>path "…" { key = value }</c>, texts, lists of texts,
/// comments.
/// </summary>
internal sealed class AclPolicyReader(string text)
{
    private int _at;

    /// <summary>Every <c>path</c> block, in order.</summary>
    public IReadOnlyList<AclPolicyBlock> Read()
    {
        var rules = new List<AclPolicyBlock>();
        for (SkipBlank(); _at < text.Length; SkipBlank())
        {
            var word = Word();
            if (word != "path")
            {
                throw Fault($"invalid key \"{word}\"");
            }

            SkipBlank();
            rules.Add(Block(new AclPolicyBlock(Quoted())));
        }

        return rules;
    }

    private AclPolicyBlock Block(AclPolicyBlock rule)
    {
        Expect('{');
        for (SkipBlank(); !Take('}'); SkipBlank())
        {
            var key = Key();
            switch (Peek())
            {
                case '[':
                    rule.Lists[key] = TextList();
                    break;
                case '"':
                    rule.Texts[key] = Quoted();
                    break;
                case '{':
                    rule.Maps[key] = TextLists();
                    break;
                default:
                    throw Fault(
                        $"\"{key}\" is neither a text, a list of texts nor a map of such lists, "
                            + "and this development Vault enforces nothing else"
                    );
            }

            SkipBlank();
            Take(',');
        }

        return rule;
    }

    private Dictionary<string, List<string>> TextLists()
    {
        var map = new Dictionary<string, List<string>>(StringComparer.OrdinalIgnoreCase);
        Expect('{');
        for (SkipBlank(); !Take('}'); SkipBlank())
        {
            map[Key()] = TextList();
            SkipBlank();
            Take(',');
        }

        return map;
    }

    private string Key()
    {
        var key = Peek() == '"' ? Quoted() : Word();
        Expect('=');
        SkipBlank();
        return key;
    }

    private List<string> TextList()
    {
        var items = new List<string>();
        Expect('[');
        for (SkipBlank(); !Take(']'); SkipBlank())
        {
            items.Add(Quoted());
            SkipBlank();
            if (!Take(',') && Peek() != ']')
            {
                throw Fault("expected ',' or ']'");
            }
        }

        return items;
    }

    private string Quoted()
    {
        Expect('"');
        var value = new StringBuilder();
        while (true)
        {
            var c = Next();
            switch (c)
            {
                case '"':
                    return value.ToString();
                case '\\':
                    value.Append(
                        Next() switch
                        {
                            'n' => '\n',
                            't' => '\t',
                            var escaped => escaped,
                        }
                    );
                    break;
                case '\n':
                    throw Fault("text is not closed");
                default:
                    value.Append(c);
                    break;
            }
        }
    }

    private string Word()
    {
        var start = _at;
        while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] is '_' or '-'))
        {
            _at++;
        }

        return _at > start ? text[start.._at] : throw Fault($"unexpected '{Peek()}'");
    }

    private void SkipBlank()
    {
        while (_at < text.Length)
        {
            if (char.IsWhiteSpace(text[_at]))
            {
                _at++;
            }
            else if (text[_at] == '#' || Ahead("//"))
            {
                _at = text.IndexOf('\n', _at) is var end and >= 0 ? end : text.Length;
            }
            else if (Ahead("/*"))
            {
                _at = text.IndexOf("*/", _at, StringComparison.Ordinal) is var end and >= 0
                    ? end + 2
                    : throw Fault("comment is not closed");
            }
            else
            {
                return;
            }
        }
    }

    private bool Ahead(string mark) => string.CompareOrdinal(text, _at, mark, 0, mark.Length) == 0;

    private char Peek() => _at < text.Length ? text[_at] : '\0';

    private char Next() => _at < text.Length ? text[_at++] : throw Fault("unexpected end");

    private bool Take(char expected)
    {
        if (_at >= text.Length)
        {
            throw Fault("unexpected end");
        }

        if (text[_at] != expected)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Expect(char expected)
    {
        SkipBlank();
        if (Next() != expected)
        {
            _at--;
            throw Fault($"expected '{expected}'");
        }
    }

    private FormatException Fault(string what) => new($"line {text.AsSpan(0, _at).Count('\n') + 1}: {what}");
}
