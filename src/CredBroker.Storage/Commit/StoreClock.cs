namespace CredBroker.Storage.Commit;

/// <summary>
/// The store's clock, in milliseconds: never behind what the store has persisted, nor behind what it said before,
/// wherever the process's clock goes.
/// </summary>
internal sealed class StoreClock(TimeProvider time)
{
    private long _latest;

    /// <summary>The time now.</summary>
    public DateTimeOffset Now() => Advance(time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>Takes up what was persisted.</summary>
    public DateTimeOffset Advance(long milliseconds)
    {
        while (true)
        {
            var latest = Volatile.Read(ref _latest);
            if (milliseconds <= latest || Interlocked.CompareExchange(ref _latest, milliseconds, latest) == latest)
            {
                return DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(milliseconds, latest));
            }
        }
    }
}
