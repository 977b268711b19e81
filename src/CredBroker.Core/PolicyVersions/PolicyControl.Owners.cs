using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Core.PolicyVersions;

/// <content>Who is gone of those who answer for processes.</content>
public sealed partial class PolicyControl
{
    // Who is gone, as the store had it when it was asked last.
    private volatile IReadOnlySet<(string Issuer, string Subject)> _gone = new HashSet<(string, string)>();
    private volatile GoneAt _goneAt = new(0, 0);

    /// <summary>
    /// Whether this is what is decided by, and knows everybody whom the store is heard to have gone or come back.
    /// </summary>
    public bool KnowsOwners(ActivePolicy active)
    {
        // In this order: it is noted last that they are taken up.
        var (known, position) = (_goneAt, store.Position);
        return known == new GoneAt(position.Opening, position.Owners) && ReferenceEquals(_current, active);
    }

    /// <summary>The same policy where those who are gone answer for nothing.</summary>
    public PolicySet WithOwners(PolicySet set) => set.Without(_gone);

    private async ValueTask TakeUpOwnersAsync(StorePosition position, CancellationToken cancellationToken)
    {
        var asOf = new GoneAt(position.Opening, position.Owners);
        if (_goneAt == asOf)
        {
            return;
        }

        var retired = await store.Owners.ListRetiredAsync(cancellationToken);
        _gone = retired.Select(owner => (owner.Issuer, owner.Subject)).ToHashSet();
        if (_current is { } current && WithOwners(current.Set) is var set && !ReferenceEquals(set, current.Set))
        {
            _current = current with { Set = set };
        }

        _goneAt = asOf;
    }

    private sealed record GoneAt(long Opening, long Owners);
}
