using System.Text.Json;

namespace CredBroker.Core.Identity;

/// <summary>A claim that a token must have.</summary>
/// <param name="Path">Which claim.</param>
/// <param name="Values">If not empty: the claim, or one element of it, equals one of these.</param>
/// <param name="Prefix">If not empty: the claim, or one element of it, begins with this.</param>
public sealed record ClaimRequirement(ClaimPath Path, IReadOnlyList<string> Values, string Prefix)
{
    /// <summary>
    /// Whether the token meets it. With neither values nor prefix the claim only has to be there and not be null.
    /// </summary>
    public bool IsMetBy(JsonElement claims)
    {
        if (!Path.TryFind(claims, out var claim) || claim.ValueKind == JsonValueKind.Null)
        {
            return false;
        }

        if (Values.Count == 0 && Prefix.Length == 0)
        {
            return true;
        }

        var texts = Path.FindTexts(claims);
        return (Values.Count == 0 || texts.Any(Values.Contains))
            && (Prefix.Length == 0 || texts.Any(t => t.StartsWith(Prefix, StringComparison.Ordinal)));
    }
}
