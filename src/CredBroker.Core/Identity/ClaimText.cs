using System.Text.Json;

namespace CredBroker.Core.Identity;

/// <summary>What text from a token may go on into records, logs and policy: bounded, and without control characters.</summary>
internal static class ClaimText
{
    /// <summary>The longest subject, workload, instance, role or group, in characters: a SPIFFE ID fits.</summary>
    public const int MaxLength = SpiffeId.MaxLength;

    public static bool IsPrintable(string text) => text.Length <= MaxLength && !text.Any(char.IsControl);

    /// <summary>The same for everything inside a claim, member names included.</summary>
    public static bool IsPrintable(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => IsPrintable(value.GetString() ?? ""),
        JsonValueKind.Array => value.EnumerateArray().All(IsPrintable),
        JsonValueKind.Object => value.EnumerateObject().All(member => IsPrintable(member.Name) && IsPrintable(member.Value)),
        _ => true,
    };
}
