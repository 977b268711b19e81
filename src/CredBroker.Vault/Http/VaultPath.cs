using System.Buffers;

namespace CredBroker.Vault.Http;

/// <summary>
/// Paths below <c>/v1/</c>. Mounts, roles and paths come from the catalogue; none of them may climb out of its place or
/// mean a pattern in a Vault policy.
/// </summary>
internal static class VaultPath
{
    private const int MaxLength = 512;
    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~@=:/"
    );

    /// <summary>
    /// Whether the text is a path of plain segments: bounded, none of them empty, <c>.</c> or <c>..</c>, and nothing in
    /// it that a URL or a policy would read otherwise.
    /// </summary>
    public static bool IsSafe(string? path)
    {
        if (path is not { Length: > 0 and <= MaxLength } || path.AsSpan().ContainsAnyExcept(Allowed))
        {
            return false;
        }

        foreach (var segment in path.AsSpan().Split('/'))
        {
            if (path.AsSpan(segment) is "" or "." or "..")
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Where a plain part may stand as one segment.</summary>
    public static bool IsSafeSegment(string? segment) =>
        IsSafe(segment) && !segment!.Contains('/', StringComparison.Ordinal);
}
