using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Holds;

namespace CredBroker.Storage.Sql.Limits;

/// <inheritdoc cref="ILimitReader"/>
internal sealed class SqlLimitReader(SqlReads reads, StoreClock clock) : ILimitReader
{
    public async ValueTask<LimitBreach?> FindBreachAsync(
        IReadOnlyList<LimitUse> limits,
        CancellationToken cancellationToken
    )
    {
        var now = ColumnValue.From(clock.Now());
        foreach (var use in limits)
        {
            if (await FindBreachAsync(use, now, cancellationToken) is { } breach)
            {
                return breach;
            }
        }

        return null;
    }

    public async ValueTask<bool> IsTrippedAsync(
        LimitUse limit,
        LeaseSelector instance,
        CancellationToken cancellationToken
    )
    {
        var now = ColumnValue.From(clock.Now());
        return limit.Limit.MaxDenied is { } denied
                && (await FindAsync(limit.DeniedKey, denied, now, cancellationToken)).Events > denied.Count
            || (
                await reads.AllAsync<string>(
                    $"SELECT selector FROM hold WHERE {SqlHoldStore.InForce}",
                    new { now },
                    cancellationToken
                )
            )
                .Select(SqlHoldStore.Selector)
                .Contains(instance);
    }

    private async ValueTask<LimitBreach?> FindBreachAsync(LimitUse use, long now, CancellationToken cancellationToken)
    {
        var limit = use.Limit;
        if (limit.MaxActive is not null || limit.MaxIssued is not null)
        {
            var (active, events) = await FindAsync(use.Key, limit.MaxIssued, now, cancellationToken);
            if (active >= limit.MaxActive && !use.Passed.Contains(LimitKind.Active))
            {
                return new(limit, LimitKind.Active, null);
            }

            if (limit.MaxIssued is { } issued && events >= issued.Count && !use.Passed.Contains(LimitKind.Issued))
            {
                var wait = await WaitAsync(use.Key, issued, issued.Count - 1, now, cancellationToken);
                return new(limit, LimitKind.Issued, wait);
            }
        }

        return
            limit.MaxDenied is { } denied
            && !use.Passed.Contains(LimitKind.Denied)
            && (await FindAsync(use.DeniedKey, denied, now, cancellationToken)).Events > denied.Count
            ? new(limit, LimitKind.Denied, await WaitAsync(use.DeniedKey, denied, denied.Count, now, cancellationToken))
            : null;
    }

    private async ValueTask<(long Active, long Events)> FindAsync(
        string key,
        LimitRate? rate,
        long now,
        CancellationToken cancellationToken
    )
    {
        var (active, events, _) = await reads.FirstAsync<(long Active, long Events, long At)>(
            SqlLimitStore.FindText,
            new
            {
                key,
                window = SqlLimitStore.WindowOf(rate),
                now,
            },
            cancellationToken
        );
        return (active, events);
    }

    private async ValueTask<TimeSpan> WaitAsync(
        string key,
        LimitRate rate,
        long later,
        long now,
        CancellationToken cancellationToken
    ) =>
        SqlLimitStore.Until(
            await reads.FirstAsync<long>(SqlLimitStore.EventText, new { key, later }, cancellationToken),
            rate,
            now
        );
}
