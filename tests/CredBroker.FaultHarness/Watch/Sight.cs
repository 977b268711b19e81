using CredBroker.FaultHarness.Load;
using CredBroker.FaultHarness.Servers;

namespace CredBroker.FaultHarness.Watch;

/// <summary>
/// The proof that the watcher can see, before it is believed: of two live leases it is told that they are revoked, and
/// must find everything that is wrong with that.
/// </summary>
internal static class Sight
{
    /// <summary>Throws where the watcher misses one of the lies.</summary>
    public static async Task ProveAsync(Arena arena)
    {
        var ledger = new Ledger();
        var client = arena.Agent("sight");
        foreach (var credential in new[] { ArenaPolicy.Databases[0], ArenaPolicy.Token })
        {
            var request = Agent.Request("sight", credential, TimeSpan.FromMinutes(1));
            var issued = Issued.Of(request, "sight", await client.ExchangeAsync(request))!;
            ledger.Add(issued);
            if (issued.Login is { } login)
            {
                issued.Session = await arena.Postgres.ConnectAsync(login.User, login.Password);
            }

            ledger.Tell(issued.LeaseId, "revoked, as the harness lies");
        }

        var watcher = new Watcher(arena, ledger, new Tally(), _ => { });
        await watcher.PassAsync(tries: 2);
        string[] expected =
        [
            "has LOGIN",
            "Vault lease",
            "its child token is alive",
            "the token it delivered is alive",
            "its secret lets its holder in",
            "its session is still open",
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
}
