namespace CredBroker.Core.Policy.Document;

/// <summary>A node of the document, with the place where it begins.</summary>
internal abstract record YamlNode(int Line, int Column)
{
    /// <summary>What a person would call it.</summary>
    public abstract string Kind { get; }
}

/// <summary>Text.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
/// <param name="Text">As YAML reads it: folded, unescaped.</param>
/// <param name="IsPlain">
/// Whether it stands without quotes, so that <c>true</c> is a truth value and nothing at all is null.
/// </param>
/// <param name="Start">Where its source begins.</param>
internal sealed record YamlScalar(int Line, int Column, string Text, bool IsPlain, int Start) : YamlNode(Line, Column)
{
    public override string Kind => IsNull ? "nothing" : "a text";

    public bool IsNull => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL";

    /// <summary>
    /// The place in the document of a character of <see cref="Text"/>. YAML folds and strips white space only, so the
    /// same number of other characters leads there; with escapes in double quotes it is the place where the text
    /// begins.
    /// </summary>
    public (int Line, int Column) Locate(string document, int offset)
    {
        var wanted = Text.Take(offset).Count(c => !char.IsWhiteSpace(c));
        var quote = Start < document.Length ? document[Start] : ' ';
        var at = quote switch
        {
            '|' or '>' => document.IndexOf('\n', Start) + 1,
            '\'' or '"' => Start + 1,
            _ => Start,
        };
        for (; at < document.Length && (wanted > 0 || char.IsWhiteSpace(document[at])); at++)
        {
            if (quote == '"' && document[at] == '\\')
            {
                return (Line, Column);
            }

            // In single quotes a quote is written twice.
            at += quote == '\'' && document[at] == '\'' ? 1 : 0;
            wanted -= at < document.Length && char.IsWhiteSpace(document[at]) ? 0 : 1;
        }

        var before = document.AsSpan(0, Math.Min(at, document.Length));
        return (before.Count('\n') + 1, before.Length - before.LastIndexOf('\n'));
    }
}

/// <summary>Keys and values, in their order; a key that was written twice is in it twice.</summary>
internal sealed record YamlMapping(int Line, int Column) : YamlNode(Line, Column)
{
    public override string Kind => "a mapping";

    public List<(YamlScalar Key, YamlNode Value)> Entries { get; } = [];
}

/// <summary>A list.</summary>
internal sealed record YamlSequence(int Line, int Column) : YamlNode(Line, Column)
{
    public override string Kind => "a list";

    public List<YamlNode> Items { get; } = [];
}
