using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace CredBroker.Core.Identity;

/// <summary>
/// Names a claim: a top-level name such as <c>azp</c>, or, beginning with a slash, a JSON Pointer (RFC 6901) such as
/// <c>/kubernetes.io/pod/uid</c>, because claim names hold dots, colons and slashes themselves. It leads through
/// objects only.
/// </summary>
public sealed class ClaimPath
{
    /// <summary>The claim <c>sub</c>.</summary>
    public static readonly ClaimPath Subject = new("sub", ["sub"]);

    private readonly string[] _members;

    private ClaimPath(string text, string[] members)
    {
        Text = text;
        _members = members;
    }

    /// <summary>The path as it was written.</summary>
    public string Text { get; }

    /// <summary>Reads a path; false when it is empty or a malformed pointer.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out ClaimPath? path)
    {
        path = null;
        var members = text.StartsWith('/') ? text[1..].Split('/') : [text];
        if (members.Any(m => m.Length == 0 || (text[0] == '/' && HasStrayTilde(m))))
        {
            return false;
        }

        path = new ClaimPath(text, text[0] == '/' ? [.. members.Select(Unescape)] : members);
        return true;
    }

    /// <summary>The claim, if the token has it.</summary>
    public bool TryFind(JsonElement claims, out JsonElement value)
    {
        value = claims;
        foreach (var member in _members)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(member, out value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// The claim as text, where it is a non-empty printable text of bounded length or a whole number.
    /// </summary>
    public bool TryFindText(JsonElement claims, out string text)
    {
        text = TryFind(claims, out var value) ? ScalarText(value) ?? "" : "";
        return ClaimText.IsName(text);
    }

    /// <summary>The claim's texts, where it is a text or an array of texts; anything else in it is left out.</summary>
    public IReadOnlyList<string> FindTexts(JsonElement claims)
    {
        if (!TryFind(claims, out var value))
        {
            return [];
        }

        var values = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToArray() : [value];
        return [.. values.Select(ScalarText).OfType<string>().Where(ClaimText.IsName).Distinct(StringComparer.Ordinal)];
    }

    private static string? ScalarText(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number when value.TryGetInt64(out var number) => number.ToString(
                CultureInfo.InvariantCulture
            ),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => null,
        };

    private static bool HasStrayTilde(string member) =>
        member
            .Replace("~0", "", StringComparison.Ordinal)
            .Replace("~1", "", StringComparison.Ordinal)
            .Contains('~', StringComparison.Ordinal);

    private static string Unescape(string member) =>
        member.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
}
