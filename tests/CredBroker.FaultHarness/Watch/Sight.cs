using CredBroker.FaultHarness.Load;
using CredBroker.FaultHarness.Servers;

namespace CredBroker.FaultHarness.Watch;

/// <summary>
/// The proof that the watcher can see, before it is believed: of two live leases it is told that they are revoked, a
/// user is made that nobody knows of, and a lease is said to have ended late. It must find all that is wrong with that.
/// </summary>
internal static class Sight
{
    private const string Stranger = "cb-00000000000070008000000000000000_stranger";

    /// <summary>Throws where the watcher misses one of the lies.</summary>
    public static async Task ProveAsync(Arena arena)
    {
        var ledger = new Ledger();
        var client = arena.Agent("sight")[0];
        foreach (var credential in new[] { ArenaPolicy.Databases[0], ArenaPolicy.Token })
        {
            var request = Agent.Request("sight", credential, TimeSpan.FromMinutes(1));
            var issued = Issued.Of(request, "sight", broker: 0, await client.ExchangeAsync(request))!;
            ledger.Add(issued);
            if (issued.Login is { } login)
            {
                issued.Session = await arena.Postgres.ConnectAsync(login.User, login.Password);
            }

            ledger.Tell(issued.LeaseId, "revoked, as the harness lies");
        }

        var watcher = new Watcher(arena, ledger, new Tally(), _ => { });
        await arena.Postgres.ExecuteAsync($"CREATE ROLE \"{Stranger}\" LOGIN");
        await watcher.PassAsync(tries: 2);
        await arena.Postgres.ExecuteAsync($"DROP ROLE \"{Stranger}\"");
        SayLate(watcher);
        await new StopProbe(arena, new Tally(), watcher.Found).RunAsync(
            "a hold",
            ["CB2017"],
            "sight",
            "sight-held",
            losses: 0
        );
        string[] expected =
        [
            "has LOGIN",
            "Vault lease",
            "its child token is alive",
            "the token it delivered is alive",
            "its secret lets its holder in",
            "its session is still open",
            "is known to no record",
            "of that were calm",
            "after it was accepted",
        ];
        var missed = expected.Where(lie =>
            watcher.Violations.All(found => !found.What.Contains(lie, StringComparison.Ordinal))
        );
        if (missed.ToList() is { Count: > 0 } blind)
        {
            throw new InvalidOperationException($"The watcher does not see: {string.Join("; ", blind)}.");
        }

        foreach (var issued in ledger.Issued)
        {
            await client.ReleaseAsync(issued.LeaseId);
        }
    }

    /// <summary>A lease that was due as long before its end as is too long, nothing being broken at all.</summary>
    private static void SayLate(Watcher watcher)
    {
        var now = TimeProvider.System.GetUtcNow();
        var calm = new Calm(brokers: 1);
        var late = new StoredLease
        {
            Id = "sight",
            State = "revoked",
            Credential = "",
            Accessor = null,
            CredentialAccessor = null,
            VaultLeaseId = null,
            OpenedAt = now,
            IssuanceDeadline = now,
            ActivatedAt = now,
            ExpiresAt = now,
            RequestedAt = null,
            ConfirmedAt = now + Calm.Recovery + Lateness.Bound + TimeSpan.FromSeconds(1),
            LastError = "",
        };
        new Lateness().Measure(
            [late],
            [],
            calm,
            [
                [],
            ],
            watcher.Found
        );
    }
}
