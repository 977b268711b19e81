using CredBroker.FaultHarness.Load;

namespace CredBroker.FaultHarness.Watch;

/// <summary>
/// How long after it was due each lease was brought to its end, not counting the time in which nobody could have done it
/// (<see cref="Calm"/>). Read from the store when all is over.
/// </summary>
internal sealed class Lateness
{
    /// <summary>
    /// For what became active: a dead broker's claim lapses (10 s), what is tried has 8 s, and twice of that, because who
    /// took it up may die, too.
    /// </summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(40);

    /// <summary>
    /// For what was cut short while it was made: proving that nothing is left takes OpenBao's longest request (12 s) and a
    /// sweep, and begins anew with each broker that dies in it.
    /// </summary>
    public static readonly TimeSpan BoundOfUnfinished = TimeSpan.FromSeconds(90);

    private readonly List<(TimeSpan Late, bool IsOrphan, bool IsUnfinished)> _all = [];

    /// <summary>Of those that became active, from the soonest to the latest.</summary>
    public IReadOnlyList<TimeSpan> OfActive =>
        [.. _all.Where(one => !one.IsUnfinished).Select(one => one.Late).Order()];

    /// <summary>Of those of them whose broker was killed before they were over.</summary>
    public IReadOnlyList<TimeSpan> OfDeadBrokers =>
        [.. _all.Where(one => one is { IsOrphan: true, IsUnfinished: false }).Select(one => one.Late).Order()];

    /// <summary>Of those whose issuance was cut short.</summary>
    public IReadOnlyList<TimeSpan> OfUnfinished =>
        [.. _all.Where(one => one.IsUnfinished).Select(one => one.Late).Order()];

    /// <summary>Measures them, and tells of each that is beyond its bound.</summary>
    /// <param name="leases">As the store has them.</param>
    /// <param name="issued">What agents got, and from whom.</param>
    /// <param name="calm">When it could be done.</param>
    /// <param name="deaths">When each broker was killed, by its number.</param>
    /// <param name="found">Told of the lease and what is wrong.</param>
    public void Measure(
        IEnumerable<StoredLease> leases,
        IEnumerable<Issued> issued,
        Calm calm,
        IReadOnlyList<IReadOnlyList<DateTimeOffset>> deaths,
        Action<string, string> found
    )
    {
        var brokers = issued.ToDictionary(one => one.LeaseId, one => one.Broker);
        foreach (var lease in leases.Where(lease => lease.IsOver))
        {
            var end = lease.ConfirmedAt ?? lease.DueAt;
            var late = calm.Between(lease.DueAt, end);
            var isOrphan =
                brokers.TryGetValue(lease.Id, out var broker)
                && deaths[broker].Any(death => death > lease.OpenedAt && death < end);
            _all.Add((late, isOrphan, lease.ActivatedAt is null));
            var bound = lease.ActivatedAt is null ? BoundOfUnfinished : Bound;
            if (late > bound)
            {
                found(
                    lease.Id,
                    $"was due at {lease.DueAt:HH:mm:ss.fff} and {lease.State} at {end:HH:mm:ss.fff}: "
                        + $"{late.TotalSeconds:0} s of that were calm, more than {bound.TotalSeconds:0}"
                );
            }
        }
    }
}
