using CredBroker.Core.Issuing;

namespace CredBroker.Vault;

/// <summary>A place for one making: its credential's and its backend's. Both are given back when this is disposed.</summary>
internal sealed class MintPlace(Bulkhead.Pass credential, Bulkhead.Pass backend, MintBulkheads.Backend behind)
    : IDisposable
{
    private readonly Lock _lock = new();
    private bool _isLate;
    private bool _isLeft;

    /// <summary>Says whether there was an answer. It may be missed first, and come all the same.</summary>
    public void Say(bool answered)
    {
        credential.Say(answered);
        lock (_lock)
        {
            if (!answered && !_isLate && !_isLeft)
            {
                _isLate = true;
                behind.NoteLate();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            if (!_isLeft && _isLate)
            {
                behind.NoteEnd();
            }

            _isLeft = true;
        }

        backend.Dispose();
        credential.Dispose();
    }
}
