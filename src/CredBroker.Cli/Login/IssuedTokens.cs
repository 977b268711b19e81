using System.Buffers;
using System.Text.Json;
using CredBroker.Cli.Commands.Health;

namespace CredBroker.Cli.Login;

/// <summary>
/// What an issuer gave: the token for the broker and, perhaps, one to get the next with. They came from the issuer itself
/// over a protected connection, so nothing is verified here but that they are what was asked for; the broker verifies.
/// </summary>
/// <param name="Token">The token that the broker takes: the access token, or else the ID token.</param>
/// <param name="ExpiresAt">When it ends.</param>
/// <param name="RefreshToken">The refresh token; null where none was given.</param>
internal sealed record IssuedTokens(string Token, DateTimeOffset ExpiresAt, string? RefreshToken)
{
    private const int MaxLength = 64 * 1024;

    private static readonly IReadOnlyList<string> TokenMembers = ["access_token", "id_token"];

    // RFC 6750, section 2.1.
    private static readonly SearchValues<char> Characters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="
    );

    public override string ToString() => $"a token that ends at {ExpiresAt:O}";

    /// <summary>Reads the answer of a token endpoint (RFC 6749, section 5.1).</summary>
    public static IssuedTokens Read(IssuerAnswer answer, LoginTarget target, TimeProvider time)
    {
        if (!answer.IsOk || answer.Body is null)
        {
            throw Fault($"{target.Issuer} gave no token: {answer.Words}.");
        }

        if (!"bearer".Equals(answer.Text("token_type"), StringComparison.OrdinalIgnoreCase))
        {
            throw Fault($"{target.Issuer} gave a token of a type that is not known here.");
        }

        var token =
            TokenMembers.Select(answer.Text).FirstOrDefault(text => IsToken(text) && IsFor(text!, target))
            ?? throw Fault(
                $"{target.Issuer} gave no token for the audience \"{target.Audience}\".",
                "The client's registration there, the scopes or the resource decide the audience: see Login in the broker's settings."
            );
        var expires = Ends(token);
        if (expires <= time.GetUtcNow())
        {
            throw Fault(
                $"{target.Issuer} gave a token that has ended.",
                "Compare this machine's clock with the issuer's."
            );
        }

        return new(token, expires, RefreshTokenIn(answer));
    }

    /// <summary>The refresh token of an answer, whatever else is wrong with it; null where there is none.</summary>
    public static string? RefreshTokenIn(IssuerAnswer answer) =>
        answer.IsOk && answer.Text("refresh_token") is { } refresh && IsPrintable(refresh) ? refresh : null;

    private static bool IsToken(string? text) =>
        text is { Length: > 0 and <= MaxLength } && !text.AsSpan().ContainsAnyExcept(Characters);

    // RFC 6749, appendix A.17.
    private static bool IsPrintable(string text) =>
        text.Length is > 0 and <= MaxLength && !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static bool IsFor(string token, LoginTarget target) =>
        TokenReading.Decode(token, "") is { Claims: var claims }
        && Ends(claims) is not null
        && claims.TryGetValue("iss", out var issuer)
        && Is(issuer, target.Issuer)
        && claims.TryGetValue("aud", out var audience)
        && (
            audience.ValueKind == JsonValueKind.Array
                ? audience.EnumerateArray().Any(one => Is(one, target.Audience))
                : Is(audience, target.Audience)
        );

    private static bool Is(JsonElement value, string text) =>
        value.ValueKind == JsonValueKind.String && value.ValueEquals(text);

    private static DateTimeOffset Ends(string token) => Ends(TokenReading.Decode(token, "")!.Claims)!.Value;

    private static DateTimeOffset? Ends(IReadOnlyDictionary<string, JsonElement> claims) =>
        claims.TryGetValue("exp", out var exp)
        && exp.ValueKind == JsonValueKind.Number
        && exp.TryGetDouble(out var seconds)
        && seconds is > 0 and < 253_402_300_800
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : null;

    private static CliException Fault(string message, string next = "Log in again.") =>
        new(ExitCodes.Refused, message, next);
}
