using System.Buffers;
using System.Globalization;
using System.Text;

namespace CredBroker.Core.Text;

/// <summary>
/// Whether what people see of a text is what is compared: nothing in it is invisible, blank or of unknown shape, and
/// nothing turns the writing direction.
/// </summary>
public static class VisibleText
{
    /// <summary>
    /// Whether every character has a shape of its own. A plain space counts as visible between two others, not at an
    /// end. Half of a surrogate pair never does.
    /// </summary>
    public static bool IsIn(ReadOnlySpan<char> text)
    {
        if (text is [' ', ..] or [.., ' '])
        {
            return false;
        }

        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out var rune, out var length) != OperationStatus.Done || IsHidden(rune))
            {
                return false;
            }

            text = text[length..];
        }

        return true;
    }

    /// <summary>
    /// Whether a character shows nothing, or nothing of its own, or turns the writing direction: every blank but the
    /// plain space.
    /// </summary>
    public static bool IsHidden(Rune rune) =>
        Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.Control
            or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned => true,
            UnicodeCategory.SpaceSeparator => rune.Value != ' ',
            _ => IsBlank(rune.Value),
        };

    // What has another category and shows nothing all the same: joiners, fillers, variation selectors (Unicode's
    // Default_Ignorable_Code_Point), and the blanks of Braille, musical notation and Khitan.
    private static bool IsBlank(int character) =>
        character
            is 0x034F
                or 0x115F
                or 0x1160
                or 0x17B4
                or 0x17B5
                or (>= 0x180B and <= 0x180F)
                or 0x2800
                or 0x3164
                or (>= 0xFE00 and <= 0xFE0F)
                or 0xFFA0
                or 0x16FE4
                or 0x1D159
                or (>= 0xE0000 and <= 0xE0FFF);
}
