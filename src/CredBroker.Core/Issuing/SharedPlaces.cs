namespace CredBroker.Core.Issuing;

/// <summary>
/// What all backends together may have open, whatever each may have for itself: many that die at once would fill Vault
/// with what waits for them, before anybody can know that they are dead. The first call to a backend only needs that there
/// is room at all; those beside it have a small share, which the dead soon hold. So a backend that is well goes on, one
/// call after the other.
/// </summary>
public sealed class SharedPlaces(int limit, int besideFirst)
{
    private readonly Lock _lock = new();
    private int _open;
    private int _besideFirst;

    /// <summary>Whether one more may be open.</summary>
    public bool HasRoom(bool isFirst)
    {
        lock (_lock)
        {
            return _open < limit && (isFirst || _besideFirst < besideFirst);
        }
    }

    /// <summary>Takes a place for a backend's first call, or for one beside it, if there is one.</summary>
    public bool TryTake(bool isFirst)
    {
        lock (_lock)
        {
            if (!HasRoom(isFirst))
            {
                return false;
            }

            _open++;
            _besideFirst += isFirst ? 0 : 1;
            return true;
        }
    }

    /// <summary>Gives a place back.</summary>
    public void Give(bool isLast)
    {
        lock (_lock)
        {
            _open--;
            _besideFirst -= isLast ? 0 : 1;
        }
    }
}
