using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace CredBroker.Vault.Setup;

/// <summary>
/// The texts of the policy document on their way into other languages: none of them ends the comment or the quotes that
/// it is put into.
/// </summary>
internal static class SetupText
{
    /// <summary>As one word of a POSIX shell, which knows nothing but the closing quote inside of single quotes.</summary>
    /// <exception cref="ArgumentException">It holds NUL, which no word of a shell can.</exception>
    public static string Shell(string text) =>
        text.Contains('\0', StringComparison.Ordinal)
            ? throw new ArgumentException("No shell has a word with NUL in it.", nameof(text))
            : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>
    /// As a quoted text of HCL 2. Of several <c>$</c> before a brace all but the last are written by their number: how a
    /// reader pairs them is no matter then.
    /// </summary>
    public static string Hcl(string text)
    {
        var quoted = new StringBuilder("\"");
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            quoted.Append(
                c switch
                {
                    '"' => "\\\"",
                    '\\' => "\\\\",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    '$' or '%' when IsNext(text, i, '{') => $"{c}{c}",
                    '$' or '%' when LeadsToBrace(text, i) => Number(c),
                    _ when IsHidden(c) => Number(c),
                    _ => c.ToString(),
                }
            );
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>As one line of a comment: what would end the line, or hide it, is a blank.</summary>
    public static string Comment(string text) => string.Concat(text.Select(c => IsHidden(c) ? ' ' : c));

    /// <summary>What keeps a step from being made or printed; null when nothing does.</summary>
    public static string? FaultOf(SetupStep step)
    {
        if (step.CredentialFile.Any(char.IsControl))
        {
            return $"{step.Path}: the name of its adminCredentialFile has a control character in it.";
        }

        return Texts(step.Body).SelectMany(Unfit).FirstOrDefault() is { } unfit
            ? $"{step.Path}: a text of the catalogue for it holds {unfit}; take that character out."
            : null;
    }

    private static IEnumerable<string> Unfit(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is < ' ' and not ('\n' or '\r' or '\t') or 0x7F || rune == Rune.ReplacementChar)
            {
                yield return $"U+{rune.Value:X4}";
            }
        }
    }

    private static IEnumerable<string> Texts(JsonNode? node) =>
        node switch
        {
            JsonObject members => members.SelectMany(member => Texts(member.Value)),
            JsonArray items => items.SelectMany(Texts),
            JsonValue value when value.TryGetValue<string>(out var text) => [text],
            _ => [],
        };

    private static bool LeadsToBrace(string text, int at)
    {
        var end = at;
        while (end < text.Length && text[end] == text[at])
        {
            end++;
        }

        return end < text.Length && text[end] == '{';
    }

    private static bool IsNext(string text, int at, char c) => at + 1 < text.Length && text[at + 1] == c;

    private static bool IsHidden(char c) =>
        char.GetUnicodeCategory(c)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;

    private static string Number(char c) => $"\\u{(int)c:x4}";
}
