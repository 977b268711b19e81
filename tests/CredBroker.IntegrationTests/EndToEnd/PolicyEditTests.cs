using System.Collections.Concurrent;
using System.Net;
using CredBroker.Client;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>What an edit of the policy ends at OpenBao is what the preview named, and nothing else.</summary>
public sealed class PolicyEditTests
{
    private const int All = 1_000;
    private const int Affected = 300;

    [Fact]
    public async Task An_edit_ends_exactly_the_leases_that_the_preview_named_and_the_rest_goes_on_working()
    {
        await using var world = await World.StartAsync(
            storeOnPostgres: true,
            credentials: _ =>
                """
                      vault-reader:
                        vault: { engine: token, role: cb-e2e-vault-reader-token, setup: { policy: 'path "secret/data/api/key" { capabilities = ["read"] }' } }
                        access: read
                        impact: low
                        reversible: true
                        actions: [read]
                        maxTtl: 30m
                    """
        );
        var agents = Enumerable.Range(0, 20).Select(i => world.Agent($"i-{i}")).ToList();
        var issued = new ConcurrentDictionary<string, (bool IsAffected, string Token)>();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, All),
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (i, _) =>
            {
                var isAffected = i < Affected;
                var reply = await world.ExchangeAsync(
                    agents[i % agents.Count],
                    "10m",
                    $"{(isAffected ? "old" : "new")}-{i}",
                    "vault-reader"
                );
                issued[reply.LeaseId] = (isAffected, Assert.IsType<TokenSecret>(reply.Secret).Token);
            }
        );
        Assert.Equal(All, issued.Count);
        Assert.Equal(All, await WorkingAsync(world, issued.Values.Select(one => one.Token)));

        const string rule = "agent == \"triage\" && !task.id.startsWith(\"old-\")";
        var text = world.PolicyText(rule);
        var preview = await world.Person("admin").PreviewPolicyAsync(new() { Text = text });
        var affected = issued.Where(one => one.Value.IsAffected).Select(one => one.Key).Order().ToList();
        Assert.Null(preview.Faults);
        Assert.Equal((All, Affected, 0), (preview.Live, preview.EndedCount, preview.ShortenedCount));
        Assert.Equal(affected, preview.Ended.Select(lease => lease.LeaseId).Order());
        // A preview ends nothing.
        Assert.Equal(All, (await world.LeasesAsync()).Count(lease => lease.State == LeaseStates.Active));

        await File.WriteAllTextAsync(world.PolicyFile, text);

        IReadOnlyList<LeaseResponse> leases = [];
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                leases = await world.LeasesAsync();
                return leases.Count(lease => lease.State == LeaseStates.Revoked) >= Affected;
            },
            "the leases are revoked"
        );
        var revoked = leases.Where(lease => lease.State != LeaseStates.Active).ToList();
        Assert.Equal(affected, revoked.Select(lease => lease.LeaseId).Order());
        Assert.All(
            revoked,
            lease =>
            {
                Assert.Equal(LeaseStates.Revoked, lease.State);
                Assert.Equal("policy-change", lease.Revocation?.Cause);
                Assert.NotNull(lease.Revocation?.ConfirmedAt);
            }
        );
        // As OpenBao says itself, of every single token.
        Assert.Equal(0, await WorkingAsync(world, affected.Select(lease => issued[lease].Token)));
        Assert.Equal(
            All - Affected,
            await WorkingAsync(world, issued.Values.Where(one => !one.IsAffected).Select(one => one.Token))
        );
    }

    /// <summary>How many of these tokens OpenBao takes; all others it must refuse as unknown.</summary>
    private static async Task<int> WorkingAsync(World world, IEnumerable<string> tokens)
    {
        var working = 0;
        await Parallel.ForEachAsync(
            tokens,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (token, cancellationToken) =>
            {
                using var answer = await world.Vault.CallAsync(
                    HttpMethod.Get,
                    "secret/data/api/key",
                    token: token,
                    cancellationToken: cancellationToken
                );
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    Interlocked.Increment(ref working);
                }
                else
                {
                    Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
                }
            }
        );
        return working;
    }
}
