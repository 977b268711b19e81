namespace CredBroker.Vault.Setup;

/// <summary>
/// How one text becomes another, line by line: <c>-</c> goes, <c>+</c> comes, and what stands around it for the place.
/// </summary>
internal static class LineDiff
{
    private const int Around = 2;

    /// <summary>Beyond so many pairs of lines all of one goes and all of the other comes.</summary>
    private const int MaxPairs = 4_000_000;

    /// <summary>The changed lines with two around them; <c>…</c> stands for equal ones left out. Empty when equal.</summary>
    public static IReadOnlyList<string> Of(string before, string after)
    {
        var lines = Merge(Lines(before), Lines(after));
        var shown = new bool[lines.Count];
        for (var i = 0; i < lines.Count; i++)
        {
            for (var j = i - Around; lines[i].Mark != ' ' && j <= i + Around; j++)
            {
                if (j >= 0 && j < lines.Count)
                {
                    shown[j] = true;
                }
            }
        }

        var text = new List<string>();
        for (var i = 0; i < lines.Count; i++)
        {
            if (shown[i])
            {
                text.Add($"{lines[i].Mark} {lines[i].Text}");
            }
            else if (i > 0 && shown[i - 1] && shown.AsSpan(i).Contains(true))
            {
                text.Add("  …");
            }
        }

        return text;
    }

    private static List<(char Mark, string Text)> Merge(string[] before, string[] after)
    {
        if ((long)before.Length * after.Length > MaxPairs)
        {
            return [.. before.Select(line => ('-', line)), .. after.Select(line => ('+', line))];
        }

        // The longest common subsequence, from the end, so that it is read from the beginning.
        var longest = new int[before.Length + 1, after.Length + 1];
        for (var i = before.Length - 1; i >= 0; i--)
        {
            for (var j = after.Length - 1; j >= 0; j--)
            {
                longest[i, j] =
                    before[i] == after[j] ? longest[i + 1, j + 1] + 1 : Math.Max(longest[i + 1, j], longest[i, j + 1]);
            }
        }

        var lines = new List<(char, string)>();
        var (at, to) = (0, 0);
        while (at < before.Length || to < after.Length)
        {
            if (at < before.Length && to < after.Length && before[at] == after[to])
            {
                lines.Add((' ', before[at++]));
                to++;
            }
            else if (at < before.Length && (to == after.Length || longest[at + 1, to] >= longest[at, to + 1]))
            {
                lines.Add(('-', before[at++]));
            }
            else
            {
                lines.Add(('+', after[to++]));
            }
        }

        return lines;
    }

    private static string[] Lines(string text) => text.Length == 0 ? [] : text.TrimEnd('\n').Split('\n');
}
