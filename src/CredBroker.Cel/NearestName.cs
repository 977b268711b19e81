namespace CredBroker.Cel;

/// <summary>Finds what a misspelt name was probably meant to be.</summary>
public static class NearestName
{
    // A document can hold thousands of names and faults; looking further would cost their product.
    private const int Most = 200;

    /// <summary>", did you mean `x`?" for the nearest candidate, or nothing where none is near.</summary>
    public static string Suggestion(string written, IEnumerable<string> candidates) =>
        Of(written, candidates) is { } nearest ? $", did you mean `{nearest}`?" : "";

    /// <summary>The nearest candidate; null where none is near.</summary>
    public static string? Of(string written, IEnumerable<string> candidates) =>
        candidates
            .Take(Most)
            .Select(candidate => (candidate, distance: Distance(written, candidate)))
            .Where(pair => pair.distance <= Math.Max(1, Math.Min(written.Length, pair.candidate.Length) / 2))
            .OrderBy(pair => pair.distance)
            .ThenBy(pair => pair.candidate, StringComparer.Ordinal)
            .Select(pair => pair.candidate)
            .FirstOrDefault();

    /// <summary>
    /// How many characters have to be added, taken away or replaced to make one text of the other (Levenshtein).
    /// <see cref="int.MaxValue"/> where either is longer than 64 characters: whoever wrote them chose how long they
    /// are.
    /// </summary>
    public static int Distance(string left, string right)
    {
        if (left.Length > 64 || right.Length > 64)
        {
            return int.MaxValue;
        }

        var previous = Enumerable.Range(0, right.Length + 1).ToArray();
        var current = new int[right.Length + 1];
        for (var row = 1; row <= left.Length; row++)
        {
            current[0] = row;
            for (var column = 1; column <= right.Length; column++)
            {
                var change = previous[column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1);
                current[column] = Math.Min(change, 1 + Math.Min(previous[column], current[column - 1]));
            }

            (previous, current) = (current, previous);
        }

        return previous[right.Length];
    }
}
