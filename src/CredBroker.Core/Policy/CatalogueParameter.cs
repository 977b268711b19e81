namespace CredBroker.Core.Policy;

/// <summary>
/// What a request says of where a credential's secret is: one segment of the entry's path, such as the tenant in
/// <c>tenants/{tenant}/api-key</c>.
/// </summary>
/// <param name="Name">Its name in the path and in <c>request.params</c>.</param>
/// <param name="Pattern">What its whole value has to match, as the policy document says it.</param>
public sealed record CatalogueParameter(string Name, string Pattern)
{
    /// <summary>How many an entry may have, and a request may bring.</summary>
    public const int Most = 8;

    /// <summary>The longest name.</summary>
    public const int LongestName = 32;

    /// <summary>The longest value.</summary>
    public const int LongestValue = 128;

    /// <summary>Whether conditions can read it by this name: a letter, then letters, digits and underscores.</summary>
    public static bool IsName(string name) =>
        name is [(>= 'a' and <= 'z') or (>= 'A' and <= 'Z'), ..]
        && name.Length <= LongestName
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>
    /// Whether the text can be one segment of a path whatever the pattern takes: nothing in it climbs, divides, or means
    /// anything in a URL or in a policy of Vault's.
    /// </summary>
    public static bool IsSegment(string value) =>
        value.Length is > 0 and <= LongestValue
        && value is not ("." or "..")
        && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
