namespace CredBroker.Server.Hosting;

/// <summary>
/// Bounds how many requests one listener works on at once: beyond that a caller is told at once to come back, instead of
/// waiting in a queue until its time is over. Strangers have a sixteenth. Where people are served, the last eighth is
/// kept for them, and half of that for orders alone; each of the two is at least one request, if need be above the
/// bound, so that an order always has a place.
/// </summary>
internal sealed class RequestRoom
{
    private readonly Lock _gate = new();

    // For each share: how many requests of it and of the shares before it there may be, and are.
    private readonly int[] _limits;
    private readonly int[] _atWork = new int[4];

    public RequestRoom(int max, bool keepsRoomForPeople)
    {
        var agents = keepsRoomForPeople ? Math.Max(1, max - (max / 8)) : max;
        var readers = Math.Max(agents + 1, max - (max / 16));
        _limits = [Math.Max(1, max / 16), agents, readers, Math.Max(readers + 1, max)];
    }

    /// <summary>Takes a place; false where there is none.</summary>
    public bool TryEnter(RequestShare share)
    {
        lock (_gate)
        {
            for (var i = (int)share; i < _limits.Length; i++)
            {
                if (_atWork[i] >= _limits[i])
                {
                    return false;
                }
            }

            for (var i = (int)share; i < _limits.Length; i++)
            {
                _atWork[i]++;
            }

            return true;
        }
    }

    /// <summary>Gives the place back.</summary>
    public void Leave(RequestShare share)
    {
        lock (_gate)
        {
            for (var i = (int)share; i < _limits.Length; i++)
            {
                _atWork[i]--;
            }
        }
    }
}
