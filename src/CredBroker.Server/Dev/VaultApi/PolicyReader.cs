using System.Text;

namespace CredBroker.Server.Dev.VaultApi;

/// <summary>Reads the part of HCL that policies are written in: <c>path "…" { key = value }</c>, texts, lists of texts, comments.</summary>
internal sealed class PolicyReader(string text)
{
    private int at;

    /// <summary>Every <c>path</c> block, in order.</summary>
    public IReadOnlyList<PolicyBlock> Read()
    {
        var rules = new List<PolicyBlock>();
        for (SkipBlank(); at < text.Length; SkipBlank())
        {
            var word = Word();
            if (word != "path")
            {
                throw Fault($"invalid key \"{word}\"");
            }

            SkipBlank();
            rules.Add(Block(new PolicyBlock(Quoted())));
        }

        return rules;
    }

    private PolicyBlock Block(PolicyBlock rule)
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
                    throw Fault($"\"{key}\" is neither a text, a list of texts nor a map of such lists, and this development Vault enforces nothing else");
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
                    value.Append(Next() switch { 'n' => '\n', 't' => '\t', var escaped => escaped });
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
        var start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '_' or '-'))
        {
            at++;
        }

        return at > start ? text[start..at] : throw Fault($"unexpected '{Peek()}'");
    }

    private void SkipBlank()
    {
        while (at < text.Length)
        {
            if (char.IsWhiteSpace(text[at]))
            {
                at++;
            }
            else if (text[at] == '#' || Ahead("//"))
            {
                at = text.IndexOf('\n', at) is var end and >= 0 ? end : text.Length;
            }
            else if (Ahead("/*"))
            {
                at = text.IndexOf("*/", at, StringComparison.Ordinal) is var end and >= 0 ? end + 2 : throw Fault("comment is not closed");
            }
            else
            {
                return;
            }
        }
    }

    private bool Ahead(string mark) => string.CompareOrdinal(text, at, mark, 0, mark.Length) == 0;

    private char Peek() => at < text.Length ? text[at] : '\0';

    private char Next() => at < text.Length ? text[at++] : throw Fault("unexpected end");

    private bool Take(char expected)
    {
        if (at >= text.Length)
        {
            throw Fault("unexpected end");
        }

        if (text[at] != expected)
        {
            return false;
        }

        at++;
        return true;
    }

    private void Expect(char expected)
    {
        SkipBlank();
        if (Next() != expected)
        {
            at--;
            throw Fault($"expected '{expected}'");
        }
    }

    private FormatException Fault(string what) => new($"line {text.AsSpan(0, at).Count('\n') + 1}: {what}");
}
