using CredBroker.Cel;

namespace CredBroker.Core.Text;

/// <summary>Names that somebody wrote with a slip, for those who do not speak CEL.</summary>
public static class Spelling
{
    /// <summary>The known name that was probably meant; null where none is near.</summary>
    public static string? Nearest(string written, IEnumerable<string> known) => NearestName.Of(written, known);
}
