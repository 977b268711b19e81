namespace CredBroker.Server.Notifications;

/// <summary>
/// What this broker has learnt of one address: whether it is gone, for how long it asks to be left alone, and how many
/// messages it has not answered yet. It is forgotten with the process.
/// </summary>
internal sealed class AddressStanding(TimeProvider time)
{
    // So many unanswered ones are no chance: until some of them end, it gets no more.
    private const int MaxUnanswered = 8;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<long> _underWay = [];
    private (long Since, TimeSpan For)? _rest;
    private bool _isGone;

    /// <summary>Whether it has said that there is nobody any more.</summary>
    public bool IsGone
    {
        get
        {
            lock (_gate)
            {
                return _isGone;
            }
        }
    }

    /// <summary>Whether it keeps so many messages without an answer that another one would only wait beside them.</summary>
    public bool IsSilent
    {
        get
        {
            lock (_gate)
            {
                return _underWay.Count(began => time.GetElapsedTime(began) >= Silence) >= MaxUnanswered;
            }
        }
    }

    /// <summary>For how long it still wants to be left alone; null where it does not.</summary>
    public TimeSpan? Rest
    {
        get
        {
            lock (_gate)
            {
                return
                    _rest is { } rest && rest.For - time.GetElapsedTime(rest.Since) is var left && left > TimeSpan.Zero
                    ? left
                    : null;
            }
        }
    }

    /// <summary>A message is sent.</summary>
    public long Begin()
    {
        lock (_gate)
        {
            var began = time.GetTimestamp();
            _underWay.Add(began);
            return began;
        }
    }

    /// <summary>It was answered, or given up.</summary>
    public void End(long began, SendingOutcome? outcome)
    {
        lock (_gate)
        {
            _underWay.Remove(began);
            if (outcome?.RetryAfter is { } wait)
            {
                _rest = (time.GetTimestamp(), wait);
            }
        }
    }

    /// <summary>It is gone, or after all not known to be. Whether that is new.</summary>
    public bool Note(bool isGone)
    {
        lock (_gate)
        {
            var isNew = _isGone != isGone;
            _isGone = isGone;
            return isNew;
        }
    }
}
