using CredBroker.Core.Audit;
using CredBroker.Server.Hosting;

namespace CredBroker.Server.Endpoints.Approvals;

/// <summary>
/// How many people look on at once: each stream holds a request's place for as long as it lasts, and all of them together
/// leave most places to others.
/// </summary>
internal sealed class ApprovalStreams(ListenerOptions listen)
{
    /// <summary>How many one person has open at once.</summary>
    public const int MaxOfOne = 4;

    private readonly int _max = Math.Clamp(listen.MaxRequests / 16, 1, 64);
    private readonly Lock _gate = new();
    private readonly Dictionary<AuditActor, int> _open = [];
    private int _all;

    /// <summary>Takes a place; false where there is none.</summary>
    public bool TryEnter(AuditActor person)
    {
        lock (_gate)
        {
            var own = _open.GetValueOrDefault(person);
            if (_all >= _max || own >= MaxOfOne)
            {
                return false;
            }

            (_open[person], _all) = (own + 1, _all + 1);
            return true;
        }
    }

    /// <summary>Gives the place back.</summary>
    public void Leave(AuditActor person)
    {
        lock (_gate)
        {
            _all--;
            if (--_open[person] == 0)
            {
                _open.Remove(person);
            }
        }
    }
}
