using System.Text;
using CredBroker.Client;
using CredBroker.Core.Audit;
using CredBroker.IntegrationTests.Storage;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>The main job with PostgreSQL as the broker's store, too, and nothing faked.</summary>
public sealed class PostgresStoryTests
{
    [Fact]
    public async Task What_is_issued_is_renewed_ordered_back_proven_and_in_an_export_that_verifies()
    {
        PostgresSchema? schema = null;
        await using var world = await World.StartAsync(prepare: async world =>
        {
            schema = await PostgresSchema.MakeAsync(world.Postgres);
            world.Settings["Storage:Provider"] = "postgres";
            world.Settings["Storage:ConnectionStringFile"] = schema.ConnectionStringFile;
        });
        using var _ = schema!;
        var (leaseId, secret) = await world.IssueAsync(world.Agent(), ttl: "10s");
        var renewed = await world.Agent().RenewAsync(leaseId, new() { Ttl = TimeSpan.FromSeconds(60) });
        Assert.True(renewed.ExpiresAt > renewed.ActivatedAt + TimeSpan.FromSeconds(30));

        var order = await world.Person("admin").RevokeAsync(new() { Agent = "triage", Reason = "incident" });

        var lease = await world.ConfirmedAsync(leaseId, secret);
        Assert.Equal(("admin", order.RevocationId), (lease.Revocation?.Cause, lease.Revocation?.RevocationId));
        await Eventually.BecomesTrueAsync(
            async () => (await world.Person("admin").GetRevocationAsync(order.RevocationId)).Complete,
            "the order is complete"
        );

        // The same after a crash: what is proven stays so, and the log goes on.
        await world.KillBrokerAsync();
        await world.StartBrokerAsync();
        Assert.Equal(LeaseStates.Revoked, (await world.LeaseAsync(leaseId)).State);
        var export = await IssueAndRevokeTests.ExportAsync(world);
        using var log = new MemoryStream(Encoding.UTF8.GetBytes(export));
        var verified = await AuditVerifier.VerifyAsync(log, [], default);
        Assert.Null(verified.Fault);
        foreach (
            var type in new[]
            {
                "request.allowed",
                "lease.issued",
                "lease.renewed",
                "revocation.ordered",
                "lease.revocation-requested",
                "lease.revoked",
            }
        )
        {
            Assert.Contains($"\"type\":\"{type}\"", export, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(world.Settings["Storage:SqliteFile"]));
        Assert.DoesNotContain(secret.Password, await schema!.DumpAsync(), StringComparison.Ordinal);
    }
}
