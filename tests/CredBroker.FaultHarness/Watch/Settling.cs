using CredBroker.Client;
using CredBroker.Core.Audit;
using CredBroker.FaultHarness.Load;
using CredBroker.FaultHarness.Servers;
using CredBroker.Testing.Processes;

namespace CredBroker.FaultHarness.Watch;

/// <summary>
/// The end of a run: once nothing is broken any more and nobody asks, one order over everything must bring every lease
/// to its end and leave nothing behind, every broker must issue again, and the audit log must verify.
/// </summary>
internal sealed class Settling(Arena arena, Watcher watcher, Tally tally, TimeSpan limit)
{
    /// <summary>How long it took; null when the limit came first.</summary>
    public TimeSpan? Took { get; private set; }

    public async Task RunAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        var admin = arena.Person("admin")[0];
        var isOrdered = false;
        if (arena.Store is PostgresStore { HasStandby: true })
        {
            await Operator.AcceptAsync(arena, tally);
        }

        while (TimeProvider.System.GetElapsedTime(started) < limit)
        {
            isOrdered = isOrdered || await OrderAsync(admin);
            if (
                isOrdered
                && (await watcher.LeasesAsync()).Values.All(lease => lease.IsOver)
                && (arena.Store.Losses == 0 || await IsNothingLeftAsync())
            )
            {
                Took = TimeProvider.System.GetElapsedTime(started);
                break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        }

        if (!isOrdered)
        {
            watcher.Found("the broker", "took no order though nothing was broken any more");
        }

        if (arena.Store is PostgresStore { IsSynchronous: true } && tally.Group("store accepted").Count > 0)
        {
            watcher.Found("the store", "had to be accepted though its standby had all that was answered");
        }

        await CheckBrokersAsync();
        await CheckLeftOversAsync();
        await CheckAuditAsync();
    }

    /// <summary>What a store has forgotten is found at Vault, which takes its time.</summary>
    private async Task<bool> IsNothingLeftAsync() =>
        await watcher.Database.UsersAsync() is { Count: 0 }
        && await watcher.Vault.DatabaseLeasesAsync() is { Count: 0 };

    private static async Task<bool> OrderAsync(AdminClient admin)
    {
        try
        {
            await admin.RevokeAsync(
                new()
                {
                    Everything = true,
                    Confirm = true,
                    AllowNone = true,
                    Reason = "the end of the run",
                }
            );
            return true;
        }
        catch (Exception broken) when (broken is HttpRequestException or BrokerProblemException)
        {
            Log.Line($"the last order is not taken yet: {broken.Message}");
            return false;
        }
    }

    /// <summary>Each issues by itself again, and sees the others.</summary>
    private async Task CheckBrokersAsync()
    {
        foreach (var broker in arena.Brokers)
        {
            var started = TimeProvider.System.GetTimestamp();
            HealthResponse? health = null;
            while (health is not { Status: "ok" } && TimeProvider.System.GetElapsedTime(started) < Patience.Limit)
            {
                health = await Arena.HealthAsync(broker);
                await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
            }

            if (health is not { Status: "ok", Brokers: var count } || count != arena.Brokers.Count)
            {
                var ill = health
                    ?.Parts.Where(part => part.Status != "ok")
                    .Select(part => $"{part.Name}: {part.Detail}");
                watcher.Found(
                    broker.ToString(),
                    $"does not issue again, or not with the others ({health?.Brokers}): {string.Join("; ", ill ?? [])}"
                );
            }
        }
    }

    private async Task CheckLeftOversAsync()
    {
        var leases = await watcher.LeasesAsync();
        foreach (var lease in leases.Values.Where(lease => !lease.IsOver))
        {
            watcher.Found(
                lease.Id,
                $"is {lease.State} after {limit.TotalSeconds:0} s without a fault: {lease.LastError}"
            );
        }

        foreach (
            var user in await watcher.Database.UsersAsync()
                ?? throw new InvalidOperationException("PostgreSQL is down.")
        )
        {
            var state = leases.GetValueOrDefault(user.LeaseId)?.State ?? "unknown to the store";
            watcher.Found(
                user.LeaseId,
                $"is {state}, and user {user.Name} is left over ({(user.CanLogIn ? "LOGIN" : "NOLOGIN")})"
            );
        }

        foreach (
            var id in await watcher.Vault.DatabaseLeasesAsync()
                ?? throw new InvalidOperationException("OpenBao is down.")
        )
        {
            watcher.Found(id, "is a Vault lease that is left over");
        }
    }

    private async Task CheckAuditAsync()
    {
        var file = Path.Combine(arena.Folder, "audit.jsonl");
        await using (var export = File.Create(file))
        {
            await foreach (var line in arena.Person("auditor")[^1].ExportAuditAsync(new()))
            {
                await export.WriteAsync(line.Bytes);
                export.WriteByte((byte)'\n');
            }
        }

        await using var written = File.OpenRead(file);
        var verification = await AuditVerifier.VerifyAsync(written, [], CancellationToken.None);
        if (!verification.Holds)
        {
            watcher.Found("the audit log", $"does not verify: {verification.Fault}");
        }
    }
}
