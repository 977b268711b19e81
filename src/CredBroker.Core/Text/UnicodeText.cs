namespace CredBroker.Core.Text;

/// <summary>
/// Whether a text is Unicode at all: two different texts with half a surrogate pair would have the same UTF-8, and so
/// the same hash.
/// </summary>
internal static class UnicodeText
{
    public static bool IsValid(ReadOnlySpan<char> text)
    {
        for (var index = text.IndexOfAnyInRange('\uD800', '\uDFFF'); index >= 0 && index < text.Length; index++)
        {
            if (
                char.IsSurrogate(text[index])
                && (index + 1 == text.Length || !char.IsSurrogatePair(text[index], text[++index]))
            )
            {
                return false;
            }
        }

        return true;
    }
}
