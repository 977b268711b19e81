namespace CredBroker.Core.State;

/// <summary>
/// How fast a person decides: of their last words, each measured from when it was asked, or from their word before it
/// where that is later. A group of questions that is decided at once is one word.
/// </summary>
/// <param name="Decisions">How many words it is of; <see cref="Last"/> at most.</param>
/// <param name="Median">What half of them took at most; null without any.</param>
public sealed record ApproverPace(int Decisions, TimeSpan? Median)
{
    /// <summary>How many of a person's words are looked at.</summary>
    public const int Last = 20;

    /// <summary>Fewer say nothing of a person.</summary>
    public const int Enough = 5;

    /// <summary>Whoever takes less has hardly read what they decided.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(3);

    /// <summary>Whether the person decides faster than one can read.</summary>
    public bool IsHurried => Decisions >= Enough && Median < Shortest;

    /// <summary>
    /// How long a word about so many questions took, as one about one: what they share is read once, and what differs is a
    /// quarter of it for each further one. So a group is one word, and whoever decides one without reading it is hurried.
    /// </summary>
    public static TimeSpan Took(TimeSpan took, int questions) => took / (1 + (questions - 1) / 4.0);

    /// <summary>The pace of these words.</summary>
    public static ApproverPace Of(IReadOnlyList<TimeSpan> took)
    {
        var sorted = took.Order().ToList();
        var middle = sorted.Count / 2;
        TimeSpan? median = sorted.Count switch
        {
            0 => null,
            _ when sorted.Count % 2 == 1 => sorted[middle],
            _ => (sorted[middle - 1] + sorted[middle]) / 2,
        };
        return new(sorted.Count, median);
    }
}
