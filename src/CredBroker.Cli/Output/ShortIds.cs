using CredBroker.Core.Text;

namespace CredBroker.Cli.Output;

/// <summary>
/// Ids as people meet them: a table shows how each begins, and a command takes how one begins for the whole of it. Pipes,
/// JSON and what a command tells to copy have whole ids, which no later one makes ambiguous.
/// </summary>
internal static class ShortIds
{
    private const int Whole = 32;

    // The first 12 digits are the millisecond in which most ids were made: fewer name many of a busy broker's.
    private const int ShortestShown = 12;
    private const int ShortestTyped = 8;
    private const int MostNamed = 5;

    /// <summary>One more than an error names: how many a search has to find to be told from all there are.</summary>
    public const int Enough = MostNamed + 1;

    /// <summary>How these ids are shown beside each other: as many first characters of each as tell all apart.</summary>
    public static Func<string, string> Among(IEnumerable<string> ids)
    {
        var all = ids.Distinct(StringComparer.Ordinal).ToList();
        var length = ShortestShown;
        while (all.Select(Shown).Distinct(StringComparer.Ordinal).Count() < all.Count)
        {
            length++;
        }

        return Shown;

        string Shown(string id) => id.Length <= length ? id : id[..length];
    }

    /// <summary>
    /// The id that is meant. What cannot be how one begins is returned as it is: nobody has it, and the broker says so.
    /// </summary>
    /// <param name="typed">An id, or how it begins.</param>
    /// <param name="what">Of what: <c>lease</c>.</param>
    /// <param name="list">The command that lists them.</param>
    /// <param name="findAsync">
    /// Those that the caller may see and that begin so, <see cref="Enough"/> of them where there are more.
    /// </param>
    /// <param name="mark">What stands before the digits of such an id.</param>
    /// <exception cref="CliException">It is none's, or more than one's: nothing is done.</exception>
    public static async ValueTask<string> WholeAsync(
        string typed,
        string what,
        string list,
        Func<string, ValueTask<IEnumerable<string>>> findAsync,
        string mark = ""
    )
    {
        if (!IsShort(typed, what, list, mark))
        {
            return typed;
        }

        // Whoever answers: what does not begin so is not meant.
        var found = (await findAsync(typed))
            .Where(id => id.StartsWith(typed, StringComparison.Ordinal))
            .Distinct(StringComparer.Ordinal)
            .Take(Enough)
            .ToList();
        return found switch
        {
            [var one] => one,
            [] => throw new CliException(
                ExitCodes.Refused,
                $"There is no {what} whose id begins with {typed}, or none that you may see.",
                $"Look at the list, or give the whole id: {list}"
            ),
            _ => throw Ambiguous(typed, what, found),
        };
    }

    /// <summary>Whether it is how an id begins, and not a whole one or none at all.</summary>
    /// <exception cref="CliException">It is too short to name one.</exception>
    public static bool IsShort(string typed, string what, string list, string mark = "")
    {
        var digits = typed.StartsWith(mark, StringComparison.Ordinal) ? typed[mark.Length..] : typed;
        if (digits.Length >= Whole || !Ids.IsPrefix(digits))
        {
            return false;
        }

        return digits.Length >= ShortestTyped
            ? true
            : throw CliException.Usage(
                $"{typed} is too short to name one {what}.",
                $"Give at least {ShortestTyped} of its digits: {list}"
            );
    }

    /// <summary>More than one begins so; <paramref name="found"/> are some of them.</summary>
    public static CliException Ambiguous(string typed, string what, IReadOnlyList<string> found) =>
        CliException.Usage(
            $"{typed} is how the id of more than one {what} begins: {string.Join(", ", found.Take(MostNamed))}"
                + $"{(found.Count > MostNamed ? " and more" : "")}. Nothing was done.",
            "Give more of its digits, or all of them."
        );
}
