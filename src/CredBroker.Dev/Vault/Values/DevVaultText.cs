using System.Security.Cryptography;

namespace CredBroker.Dev.Vault.Values;

/// <summary>Names as Vault makes and matches them.</summary>
internal static class DevVaultText
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>A random name of 24 characters, 142 bits.</summary>
    public static string Random() => RandomNumberGenerator.GetString(Alphabet, 24);

    /// <summary>
    /// A token's display name from the name that it was asked with, if any: every character but a letter, a digit or a
    /// dash becomes a dash, and one dash at the end goes.
    /// </summary>
    public static string DisplayName(string asked)
    {
        if (asked.Length == 0)
        {
            return "token";
        }

        var name = string.Concat(
            asked
                .EnumerateRunes()
                .Select(rune => rune.IsAscii && char.IsAsciiLetterOrDigit((char)rune.Value) ? (char)rune.Value : '-')
        );
        return "token-" + (name.EndsWith('-') ? name[..^1] : name);
    }

    /// <summary>
    /// Whether the text fits a pattern in which <c>*</c> stands for anything and every other character for itself.
    /// </summary>
    public static bool Matches(string pattern, string text)
    {
        var parts = pattern.Split('*');
        if (parts.Length == 1)
        {
            return pattern == text;
        }

        var (first, last) = (parts[0], parts[^1]);
        if (
            text.Length < first.Length + last.Length
            || !text.StartsWith(first, StringComparison.Ordinal)
            || !text.EndsWith(last, StringComparison.Ordinal)
        )
        {
            return false;
        }

        var (at, end) = (first.Length, text.Length - last.Length);
        foreach (var part in parts[1..^1])
        {
            var found = text.IndexOf(part, at, end - at, StringComparison.Ordinal);
            if (found < 0)
            {
                return false;
            }

            at = found + part.Length;
        }

        return true;
    }
}
