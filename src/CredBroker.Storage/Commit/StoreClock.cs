using CredBroker.Core.State;

namespace CredBroker.Storage.Commit;

/// <summary>
/// The store's clock, in milliseconds: never behind what the store has persisted, nor behind what it said before,
/// wherever the process's clock goes. Beside the wall clock it counts the time that passes by the monotonic one, and so
/// notices when the wall clock jumps.
/// <list type="bullet">
/// <item>
/// Back: the clock stands until the wall clock has caught up. What was promised before it fell is measured by the count
/// (<see cref="StorePosition.NowFor"/>).
/// </item>
/// <item>
/// Forward, further than <see cref="JumpBound"/>: not believed at once. The clock goes on by the count, and takes the
/// wall clock's word when that has stood for <see cref="ConfirmAfter"/>, or an admin's (<see cref="Repair"/>). A machine
/// that was suspended comes back that way; a time server's slip is gone before.
/// </item>
/// </list>
/// </summary>
internal sealed class StoreClock
{
    /// <summary>How far the wall clock may run ahead of the count and be believed at once.</summary>
    public const long JumpBound = 60_000;

    /// <summary>How far it may lie ahead of what was persisted at the start: for so long a broker may have been off.</summary>
    public const long OffBound = 24 * 3_600_000;

    /// <summary>How long a wall clock that jumped has to say the same before it is believed.</summary>
    public const long ConfirmAfter = 5 * 60_000;

    /// <summary>What the two clocks may differ by from one reading to the next without anything being wrong.</summary>
    private const long Tolerance = 2_000;

    private readonly TimeProvider _time;
    private readonly Lock _gate = new();

    // What the clock said last; the count as of the last reading, and when that was by the monotonic clock.
    private long _latest;
    private long _counted;
    private long _timestamp;

    // How far the wall clock lies behind the count, and what the clock said when it fell.
    private long _fallenBy;
    private long? _fallenAt;

    // The wall clock's word that is not believed yet, and since when.
    private (long Wall, long Timestamp)? _jump;

    // Whether the wall clock's word has not been taken since a start that was long after what was persisted.
    private bool _isStale;

    public StoreClock(TimeProvider time)
    {
        _time = time;
        (_latest, _counted, _timestamp) = (Wall(), Wall(), time.GetTimestamp());
    }

    /// <summary>What the wall clock says that it goes by.</summary>
    public DateTimeOffset WallNow => _time.GetUtcNow();

    /// <summary>The time now.</summary>
    public DateTimeOffset Now() => Read().Now;

    /// <summary>The time now, and by the count.</summary>
    public ClockReading Read()
    {
        lock (_gate)
        {
            Advance();
            return new(
                DateTimeOffset.FromUnixTimeMilliseconds(_latest),
                DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(_counted, _latest)),
                _fallenAt is { } fallen ? DateTimeOffset.FromUnixTimeMilliseconds(fallen) : null,
                _isStale
            );
        }
    }

    /// <summary>Takes up what was persisted, 0 in a new store; once, before the first reading.</summary>
    /// <param name="persisted">The clock.</param>
    /// <param name="counted">The count of what has passed, which is ahead of it where the wall clock had fallen.</param>
    public void Start(long persisted, long counted = 0)
    {
        lock (_gate)
        {
            counted = Math.Max(persisted, counted);
            if (persisted > 0 && Wall() - counted > OffBound)
            {
                (_latest, _counted, _timestamp) = (persisted, counted, _time.GetTimestamp());
                (_fallenAt, _jump, _isStale) = (counted > persisted ? persisted : null, (Wall(), _timestamp), true);
            }
            else if (counted - Wall() > Tolerance)
            {
                // It fell before, or while the broker was off: what was promised before is measured by the count from
                // here on.
                (_latest, _counted, _timestamp) = (Math.Max(persisted, Wall()), counted, _time.GetTimestamp());
                (_fallenBy, _fallenAt) = (counted - Wall(), _latest);
            }
            else
            {
                _latest = Math.Max(_latest, persisted);
            }
        }
    }

    /// <summary>
    /// Another broker on the store has persisted this meanwhile: whatever it took for the time is believed, as it stands
    /// in records.
    /// </summary>
    public void Follow(long persisted, long counted)
    {
        lock (_gate)
        {
            Advance();
            (_latest, _counted) = (Math.Max(_latest, persisted), Math.Max(_counted, counted));
        }
    }

    /// <summary>
    /// Takes the wall clock's word, also where that lies behind what was said before. Returns what undoes it.
    /// </summary>
    public Action Repair()
    {
        lock (_gate)
        {
            var before = (_latest, _counted, _timestamp, _fallenBy, _fallenAt, _jump, _isStale);
            (_latest, _counted, _timestamp) = (Wall(), Wall(), _time.GetTimestamp());
            (_fallenBy, _fallenAt, _jump, _isStale) = (0, null, null, false);
            return () =>
            {
                lock (_gate)
                {
                    (_latest, _counted, _timestamp, _fallenBy, _fallenAt, _jump, _isStale) = before;
                }
            };
        }
    }

    private void Advance()
    {
        var (wall, timestamp) = (Wall(), _time.GetTimestamp());
        var passed = Math.Max(0, Milliseconds(_timestamp, timestamp));
        _timestamp = timestamp;
        _counted += passed;
        if (wall - Math.Max(_counted, _latest) > JumpBound && !IsConfirmed(wall, timestamp))
        {
            _latest += passed;
            return;
        }

        (_jump, _isStale) = (null, false);
        if (wall >= _counted - Tolerance)
        {
            (_counted, _fallenBy, _fallenAt) = (wall, 0, null);
        }
        else if (_counted - wall > _fallenBy + Tolerance)
        {
            (_fallenBy, _fallenAt) = (_counted - wall, _latest);
        }

        _latest = Math.Max(_latest, wall);
    }

    /// <summary>Whether the wall clock has said the same, the time that passed aside, for long enough.</summary>
    private bool IsConfirmed(long wall, long timestamp)
    {
        if (_jump is not { } jump || Math.Abs(wall - jump.Wall - Milliseconds(jump.Timestamp, timestamp)) > Tolerance)
        {
            _jump = (wall, timestamp);
            return false;
        }

        return Milliseconds(jump.Timestamp, timestamp) >= ConfirmAfter;
    }

    private long Wall() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private long Milliseconds(long from, long to) => (long)_time.GetElapsedTime(from, to).TotalMilliseconds;
}

/// <summary>What the store's clock says at one moment.</summary>
/// <param name="Now">The time.</param>
/// <param name="Counted">The time by the count of what has passed; ahead of the other while the wall clock has fallen.</param>
/// <param name="FallenAt">What the clock said when the wall clock fell; null where it has not.</param>
/// <param name="IsStale">Whether it goes on from what was persisted long before the start (<see cref="StorePosition.IsStale"/>).</param>
internal readonly record struct ClockReading(
    DateTimeOffset Now,
    DateTimeOffset Counted,
    DateTimeOffset? FallenAt,
    bool IsStale = false
);
