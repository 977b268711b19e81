using CredBroker.Cel;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Tells an admin that a selector reaches nothing, before anything is ordered by it: somebody who mistypes a name in an
/// incident must not read that all is done. It helps, and guards nothing: while the store cannot be read, it passes.
/// </summary>
public sealed class SelectorCheck(IBrokerStore store, PolicyControl policy)
{
    /// <summary>
    /// Why a revocation would reach nothing: no lease whose secret may still be accepted is selected. Null if one is.
    /// Everything is always reached.
    /// </summary>
    public ValueTask<Refusal?> ForRevocationAsync(LeaseSelector selector, CancellationToken cancellationToken) =>
        CheckAsync(
            selector,
            async () =>
                await store.Leases.ListAsync(
                    new()
                    {
                        Selector = selector,
                        States = LeaseStates.NotOver,
                        Limit = 1,
                    },
                    cancellationToken
                )
                    is { Leases.Count: > 0 }
                        or { Unreadable.Count: > 0 }
                    ? null
                    : await NoLeaseAsync(selector, cancellationToken)
        );

    /// <summary>
    /// Why a hold would reach nothing: one of its names is in no policy and on no recent lease. Null if all are known;
    /// that nobody has a lease of that kind now is no reason not to hold it.
    /// </summary>
    public ValueTask<Refusal?> ForHoldAsync(LeaseSelector selector, CancellationToken cancellationToken) =>
        CheckAsync(
            selector,
            async () =>
                await UnknownAsync(selector, cancellationToken) is { Count: > 0 } unknown
                    ? Refuse($"There is no {string.Join(", and no ", unknown)}.")
                    : null
        );

    private static async ValueTask<Refusal?> CheckAsync(LeaseSelector selector, Func<Task<Refusal?>> check)
    {
        try
        {
            return selector.Everything ? null : await check();
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    private async Task<Refusal> NoLeaseAsync(LeaseSelector selector, CancellationToken cancellationToken)
    {
        if (
            selector.Lease is { } id
            && await store.Leases.FindAsync(id, cancellationToken) is { State: var state } lease
            && selector.Matches(lease)
        )
        {
            return Refuse($"The lease is {state.ToString().ToLowerInvariant()} already.");
        }

        var unknown = await UnknownAsync(selector, cancellationToken);
        return Refuse(
            unknown.Count > 0
                ? $"No lease can be meant: there is no {string.Join(", and no ", unknown)}."
                : "No lease that is not over is selected."
        );
    }

    /// <summary>The names that nobody has, each with the one that may have been meant.</summary>
    private async ValueTask<IReadOnlyList<string>> UnknownAsync(
        LeaseSelector selector,
        CancellationToken cancellationToken
    )
    {
        var unknown = new List<string>();
        foreach (var (field, name) in selector.Names())
        {
            var known = InPolicy(field).ToHashSet(StringComparer.Ordinal);
            if (known.Contains(name))
            {
                continue;
            }

            known.UnionWith(await store.Leases.FindNamesAsync(field, cancellationToken));
            if (!known.Contains(name))
            {
                // What begins alike comes first, because only so many are compared.
                var near = known.OrderByDescending(other => CommonStart(name, other));
                unknown.Add($"{Word(field)} `{name}`{NearestName.Suggestion(name, near)}");
            }
        }

        return unknown;
    }

    private IEnumerable<string> InPolicy(SelectorField field) =>
        (policy.Current?.Set, field) switch
        {
            ({ } set, SelectorField.Agent) => set.Agents,
            ({ } set, SelectorField.Process) => set.Processes.Keys,
            ({ } set, SelectorField.Credential) => set.Credentials.Keys,
            ({ } set, SelectorField.Owner) => set
                .Processes.Values.Select(process => process.Owner?.Subject)
                .OfType<string>(),
            _ => [],
        };

    private static int CommonStart(string left, string right) => left.AsSpan().CommonPrefixLength(right);

    private static string Word(SelectorField field) =>
        field == SelectorField.TrustDomain ? "trust domain" : field.ToString().ToLowerInvariant();

    private static Refusal Refuse(string why) =>
        new(
            RefusalCode.SelectorMatchesNothing,
            $"{why} Nothing was done. If that is meant all the same, say so with allowNone."
        );
}
