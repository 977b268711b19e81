using System.Globalization;

namespace CredBroker.Core.Audit;

/// <summary>Where an audit record stands.</summary>
/// <param name="Stream">The stream: one broker process, a UUIDv7 per start.</param>
/// <param name="Sequence">1 for the first record of the stream.</param>
/// <param name="Hash">SHA-256 of the record's bytes, lower-case hex.</param>
public sealed record AuditPosition(string Stream, long Sequence, string Hash)
{
    /// <summary>What the first record of a stream names as its previous hash.</summary>
    public static readonly string NoHash = new('0', 64);

    /// <summary><c>stream:sequence:hash</c>, the form in which a head is kept elsewhere and compared later.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Stream}:{Sequence}:{Hash}");

    /// <summary>Reads <c>stream:sequence:hash</c>.</summary>
    public static bool TryParse(string? text, out AuditPosition? position)
    {
        position = null;
        var colon = text?.LastIndexOf(':') ?? -1;
        if (colon < 0 || !AuditCursor.TryParse(text![..colon], out var cursor) || !IsHash(text[(colon + 1)..]))
        {
            return false;
        }

        position = new(cursor!.Stream, cursor.Sequence, text[(colon + 1)..]);
        return true;
    }

    internal static bool IsHash(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);
}
