using System.Text.Json;
using CredBroker.Core.Text;

namespace CredBroker.Core.Identity;

/// <summary>
/// What text from a token may go on into records, logs and policy: bounded, and without control characters.
/// </summary>
internal static class ClaimText
{
    /// <summary>The longest subject, workload, instance, role or group, in characters: a SPIFFE ID fits.</summary>
    public const int MaxLength = SpiffeId.MaxLength;

    /// <summary>
    /// Whether a text may be a name: bounded, and what people see of it is what is compared.
    /// </summary>
    public static bool IsName(string text) => text.Length is > 0 and <= MaxLength && VisibleText.IsIn(text);

    /// <summary>
    /// Whether everything inside a claim that policy sees, member names included, is free of control characters.
    /// </summary>
    public static bool IsPrintable(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => IsPrintable(value.GetString() ?? ""),
            JsonValueKind.Array => value.EnumerateArray().All(IsPrintable),
            JsonValueKind.Object => value
                .EnumerateObject()
                .All(member => IsPrintable(member.Name) && IsPrintable(member.Value)),
            _ => true,
        };

    private static bool IsPrintable(string text) => text.Length <= MaxLength && !text.Any(char.IsControl);
}
