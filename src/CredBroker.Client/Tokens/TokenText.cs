using System.Buffers;

namespace CredBroker.Client;

/// <summary>What may travel as a bearer token (RFC 6750, section 2.1), whatever gave it.</summary>
internal static class TokenText
{
    /// <summary>In characters, and so in bytes.</summary>
    public const int MaxLength = 64 * 1024;

    private static readonly SearchValues<char> Characters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="
    );

    /// <summary>The token, where it is one. What it is instead is never quoted.</summary>
    /// <param name="token">What was read.</param>
    /// <param name="where">For the message: where it was read.</param>
    public static string Check(string? token, string where) =>
        token switch
        {
            null or "" => throw Fault($"{where} holds no token."),
            { Length: > MaxLength } => throw Fault($"{where} holds more than {MaxLength / 1024} KiB."),
            _ when token.AsSpan().ContainsAnyExcept(Characters) => throw Fault(
                $"{where} holds something else than a token."
            ),
            _ => token,
        };

    private static TokenSourceException Fault(string message) =>
        new(message, "It should hold the token alone, on one line.");
}
