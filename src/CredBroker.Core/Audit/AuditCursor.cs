using CredBroker.Core.Text;

namespace CredBroker.Core.Audit;

/// <summary>Where an export goes on: after this record.</summary>
public sealed record AuditCursor(string Stream, long Sequence)
{
    /// <summary>Whether it stands before this record.</summary>
    public bool IsBefore(AuditPosition position) =>
        string.CompareOrdinal(Stream, position.Stream) is var order
        && (order < 0 || (order == 0 && Sequence < position.Sequence));

    /// <summary><c>stream:sequence</c>.</summary>
    public override string ToString() => $"{Stream}:{Sequence}";

    /// <summary>Reads <c>stream:sequence</c>.</summary>
    public static bool TryParse(string? text, out AuditCursor? cursor)
    {
        cursor = null;
        var colon = text?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        if (
            colon < 0
            || !Ids.IsValid(text![..colon])
            || !long.TryParse(
                text.AsSpan(colon + 1),
                System.Globalization.NumberStyles.None,
                System.Globalization.CultureInfo.InvariantCulture,
                out var sequence
            )
        )
        {
            return false;
        }

        cursor = new(text[..colon], sequence);
        return true;
    }
}
