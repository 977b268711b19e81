namespace CredBroker.Core.Text;

/// <summary>
/// Identifiers of everything the broker stores: UUIDv7 as 32 lower-case hex digits, so that they sort by time and fit
/// into a database user's name.
/// </summary>
public static class Ids
{
    private static readonly System.Buffers.SearchValues<char> HexDigits = System.Buffers.SearchValues.Create(
        "0123456789abcdef"
    );

    /// <summary>What is said of a text that is no <see cref="IsPrefix">prefix</see>.</summary>
    public const string PrefixRule = "idPrefix must be 1 to 32 of 0123456789abcdef: how the id begins.";

    /// <summary>A new identifier, carrying the clock's time.</summary>
    public static string New(TimeProvider time) => Guid.CreateVersion7(time.GetUtcNow()).ToString("N");

    /// <summary>Whether the text has the form of an identifier.</summary>
    public static bool IsValid(string? text) => text is { Length: 32 } && text.AsSpan().IndexOfAnyExcept(HexDigits) < 0;

    /// <summary>Whether an identifier could begin with the text, or be it.</summary>
    public static bool IsPrefix(string? text) =>
        text is { Length: > 0 and <= 32 } && text.AsSpan().IndexOfAnyExcept(HexDigits) < 0;
}
