using System.Text.Json;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity.Verification;

/// <summary>When a token is valid, as it says itself.</summary>
/// <param name="NotBefore">The later of <c>nbf</c> and <c>iat</c>; the beginning of time without either.</param>
/// <param name="ExpiresAt"><c>exp</c>.</param>
public sealed record TokenWindow(DateTimeOffset NotBefore, DateTimeOffset ExpiresAt)
{
    private static readonly double MaxSeconds = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    /// <summary>
    /// Reads <c>exp</c>, which must be there, <c>nbf</c> and <c>iat</c> (RFC 7519 §4.1), all NumericDates.
    /// </summary>
    public static Check<TokenWindow> Read(JsonElement claims)
    {
        if (!TryDate(claims, "exp", out var expires))
        {
            return NoDate("exp");
        }

        if (!TryDate(claims, "nbf", out var notBefore))
        {
            return NoDate("nbf");
        }

        if (!TryDate(claims, "iat", out var issuedAt))
        {
            return NoDate("iat");
        }

        if (expires is null)
        {
            return new Refusal(
                RefusalCode.TokenExpired,
                "The token has no 'exp'; a token that never ends is not accepted."
            );
        }

        var start =
            (notBefore ?? DateTimeOffset.MinValue) > (issuedAt ?? DateTimeOffset.MinValue) ? notBefore : issuedAt;
        return new Check<TokenWindow>.Passed(new(start ?? DateTimeOffset.MinValue, expires.Value));
    }

    /// <summary>
    /// Holds the window against the clock. <paramref name="maxLifetime"/> bounds the time from its start (or from now,
    /// if it says none) to its end.
    /// </summary>
    public Refusal? Check(DateTimeOffset now, TimeSpan skew, TimeSpan? maxLifetime)
    {
        if (now - ExpiresAt >= skew)
        {
            return new(RefusalCode.TokenExpired, "The token has expired; get a fresh one from its issuer.");
        }

        if (NotBefore - now > skew)
        {
            return new(
                RefusalCode.TokenNotYetValid,
                "The token's 'nbf' or 'iat' lies in the future; check the clocks of issuer and broker."
            );
        }

        if (maxLifetime is { } max && ExpiresAt - (NotBefore == DateTimeOffset.MinValue ? now : NotBefore) > max)
        {
            return new(
                RefusalCode.TokenExpired,
                "The token lives longer than its issuer's settings accept; ask for a shorter one."
            );
        }

        return null;
    }

    private static Refusal NoDate(string name) =>
        new(RefusalCode.TokenMalformed, $"The token's '{name}' is not a number of seconds since 1970.");

    private static bool TryDate(JsonElement claims, string name, out DateTimeOffset? date)
    {
        date = null;
        if (!claims.TryGetProperty(name, out var claim))
        {
            return true;
        }

        if (
            claim.ValueKind != JsonValueKind.Number
            || !claim.TryGetDouble(out var seconds)
            || !(seconds >= 0 && seconds <= MaxSeconds)
        )
        {
            return false;
        }

        date = DateTimeOffset.FromUnixTimeSeconds((long)seconds);
        return true;
    }
}
