using System.Text.Json.Nodes;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;
using CredBroker.Vault;
using CredBroker.Vault.Setup;
using Microsoft.Extensions.Logging.Abstractions;
using static CredBroker.IntegrationTests.Vault.Issuance;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// A database that swallows everything, behind an OpenBao with integrated storage. OpenBao holds a storage transaction
/// for each call that waits for a database, and has 64 of them: with all of them taken it answers nobody, not even a KV
/// read with the root token.
/// </summary>
public sealed class UnreachableDatabaseTests
{
    /// <summary>One, which everybody asks for at once, and many that die together.</summary>
    [Theory]
    [InlineData(1, 200)]
    [InlineData(16, 8)]
    public async Task It_stops_neither_Vault_nor_other_credentials_nor_their_revocation(int databases, int makings)
    {
        TestBao.SkipUnlessAvailable();
        TestPostgres.SkipUnlessAvailable();
        var (bao, postgres) = (await TestBao.StartSealableAsync(), await TestPostgres.StartAsync());
        await using var proxies = new Proxies(databases, postgres.Port);
        await bao.SendAsync(
            HttpMethod.Post,
            "sys/mounts/secret",
            JsonNode.Parse("""{"type":"kv","options":{"version":"2"}}""")
        );
        await using var environment = await BaoEnvironment.StartAsync(bao, postgres, Catalogue.KeyValue);
        await environment.WriteKeyValueAsync();
        var dead = proxies.All.SelectMany((proxy, i) => Dead(environment, proxy, i)).ToList();
        await environment.SetUpAsync([environment.Database, .. dead, Catalogue.KeyValue]);
        var policy = SetupPlan
            .For(Catalogue.Installation, [environment.Database, .. dead, Catalogue.KeyValue])
            .Steps.Single(step => step.Path == "sys/policies/acl/cb-test-broker");
        await bao.SendAsync(HttpMethod.Post, policy.Path, policy.Body.DeepClone());
        // Shorter than Vault's own limit of 90 s, after which it lets go of what waits.
        using var issuer = new VaultSecretIssuer(
            environment.Options with
            {
                CallTimeout = TimeSpan.FromSeconds(20),
            },
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );
        foreach (var entry in dead)
        {
            Assert.IsType<MintOutcome.Minted>(await MintAsync(issuer, entry));
        }

        var well = Plan(environment.Database);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await issuer.PrepareAsync(well, default)).Child;
        var minted = Assert.IsType<MintOutcome.Minted>(await issuer.MintAsync(well, child, default));

        proxies.All.ForEach(proxy => proxy.Stall());
        using var over = new CancellationTokenSource();
        var prepared = 0;
        var hanging = Enumerable
            .Range(0, databases * makings)
            .Select(i => dead[i % dead.Count])
            .Select(one =>
                Task.Run(() => MintAsync(issuer, one, () => Interlocked.Increment(ref prepared), over.Token))
            )
            .ToList();
        await Eventually.BecomesTrueAsync(
            async () => prepared == databases * makings && await WaitingAsync(bao) >= Math.Max(4, databases),
            "all of them have begun, and calls wait for the database inside OpenBao"
        );

        // Asked while they hang, with this test's own patience as the only bound: nobody waits behind them.
        Assert.IsType<MintOutcome.Minted>(await MintAsync(issuer, Catalogue.KeyValue));
        Assert.IsType<MintOutcome.Minted>(await MintAsync(issuer, environment.Database));
        Assert.IsType<RevokeOutcome.Confirmed>(await issuer.RevokeAsync(Lease(well, child, minted), default));
        Assert.True((await issuer.ProbeAsync(default)).CanIssue);
        Assert.DoesNotContain(hanging, task => task.IsCompletedSuccessfully && task.Result is MintOutcome.Minted);

        await over.CancelAsync();
        proxies.All.ForEach(proxy => proxy.Flow());
        var outcomes = await Task.WhenAll(hanging);
        Assert.All(
            outcomes.OfType<MintOutcome.Refused>(),
            refused => Assert.Equal(RefusalCode.CredentialPaused, refused.Refusal.Code)
        );
    }

    /// <summary>The database as one more server, behind a proxy of its own: two credentials.</summary>
    private static IEnumerable<CatalogueEntry> Dead(BaoEnvironment environment, StallingProxy proxy, int number) =>
        from name in new[] { $"dead-{number}", $"dead-too-{number}" }
        let entry = environment.DatabaseEntry(name)
        select entry with
        {
            Connection = entry.Connection! with { Port = proxy.Port },
            Setup = entry.Setup! with { Connection = $"dead-{number}" },
        };

    private static async Task<MintOutcome> MintAsync(
        VaultSecretIssuer issuer,
        CatalogueEntry entry,
        Action? onPrepared = null,
        CancellationToken cancellationToken = default
    )
    {
        var plan = Plan(entry);
        var outcome = await issuer.PrepareAsync(plan, cancellationToken);
        onPrepared?.Invoke();
        return outcome switch
        {
            PrepareOutcome.Prepared prepared => await issuer.MintAsync(plan, prepared.Child, cancellationToken),
            PrepareOutcome.Refused refused => new MintOutcome.Refused(refused.Refusal),
            var other => throw new InvalidOperationException(other.ToString()),
        };
    }

    /// <summary>How many requests OpenBao is working on.</summary>
    private static async Task<int> WaitingAsync(TestBao bao)
    {
        var inFlight = await bao.SendAsync(HttpMethod.Get, "sys/in-flight-req");
        return inFlight.EnumerateObject().Count();
    }

    private sealed class Proxies(int count, int target) : IAsyncDisposable
    {
        public List<StallingProxy> All { get; } =
        [.. Enumerable.Range(0, count).Select(_ => new StallingProxy(target))];

        public async ValueTask DisposeAsync()
        {
            foreach (var proxy in All)
            {
                await proxy.DisposeAsync();
            }
        }
    }
}
