using System.Globalization;

namespace CredBroker.Cli.Output;

/// <summary>
/// Text of others on its way to a terminal. Agents choose task ids and purposes, and an escape sequence among them
/// could repaint what an admin sees: control, format and unpaired surrogate characters are shown as <c>�</c>.
/// </summary>
internal static class Printable
{
    public static string Text(string text) => Replace(text, keepLineFeeds: false);

    public static string Lines(string text) => Replace(text, keepLineFeeds: true);

    private static string Replace(string text, bool keepLineFeeds)
    {
        var changed = false;
        var characters = text.ToCharArray();
        for (var i = 0; i < characters.Length; i++)
        {
            if (
                char.IsHighSurrogate(characters[i])
                && i + 1 < characters.Length
                && char.IsLowSurrogate(characters[i + 1])
                && CharUnicodeInfo.GetUnicodeCategory(char.ConvertToUtf32(characters[i], characters[i + 1]))
                    != UnicodeCategory.Format
            )
            {
                i++;
            }
            else if (IsUnsafe(characters[i]) && !(keepLineFeeds && characters[i] == '\n'))
            {
                (characters[i], changed) = ('\uFFFD', true);
            }
        }

        return changed ? new string(characters) : text;
    }

    private static bool IsUnsafe(char character) =>
        char.GetUnicodeCategory(character)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.Surrogate
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;
}
