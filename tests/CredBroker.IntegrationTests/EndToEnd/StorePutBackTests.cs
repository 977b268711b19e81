using CredBroker.Client;
using CredBroker.Core.Readiness;
using CredBroker.IntegrationTests.Storage;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>A store that goes back in time while OpenBao goes on, with nothing faked.</summary>
public sealed class StorePutBackTests
{
    [Fact]
    public async Task A_file_that_was_copied_back_issues_nothing_until_an_admin_accepts_it()
    {
        await using var world = await World.StartAsync();
        var (known, first) = await world.IssueAsync(world.Agent());
        var hold = await world.Person("admin").PlaceHoldAsync(new() { Agent = "triage-spire", Reason = "for now" });
        await world.KillBrokerAsync();
        var backup = Copy(world.Folder, "broker.db", "backup");
        await world.StartBrokerAsync();
        var (_, second) = await world.IssueAsync(world.Agent("i-2"), task: "t-2");
        await world.AnchoredAsync();
        await world.KillBrokerAsync();
        PutBack(world.Folder, "broker.db", backup);

        await world.StartBrokerAsync(untilIssuing: false);
        var admin = world.Person("admin");
        await AssertBehindAsync(world);
        var lift = await Assert.ThrowsAsync<BrokerProblemException>(() =>
            admin.LiftHoldAsync(hold.HoldId, new() { Reason = "over" }).AsTask()
        );
        Assert.Equal("CB5004", lift.Problem.Code);
        var clock = await Assert.ThrowsAsync<BrokerProblemException>(() =>
            admin.RepairClockAsync(new() { Reason = "it is right" }).AsTask()
        );
        Assert.Equal("CB5004", clock.Problem.Code);

        // What it knows is revoked all the same; what it does not know is shown, and lives.
        await admin.RevokeAsync(new() { Lease = known, Reason = "incident" });
        await world.ConfirmedAsync(known, first);
        var shown = await admin.GetStoreAnchorAsync();
        Assert.Equal((1, 1, 2), (shown.Epoch, shown.AnchorEpoch, shown.AcceptAs));
        Assert.NotEmpty(shown.Missing);
        Assert.Equal(1, Assert.Single(shown.Unknown!, secrets => secrets.Count is not null).Count);
        Assert.True(await world.Postgres.CanLogInAsync(second.Username, second.Password));
        var wrong = await Assert.ThrowsAsync<BrokerProblemException>(() =>
            admin.AcceptStoreAsync(new() { Epoch = 1, Reason = "the backup of noon" }).AsTask()
        );
        Assert.Equal(400, wrong.Status);
        var auditor = await Assert.ThrowsAsync<BrokerProblemException>(() =>
            world.Person("auditor").AcceptStoreAsync(new() { Epoch = 2, Reason = "the backup of noon" }).AsTask()
        );
        Assert.Equal(403, auditor.Status);
        Assert.Equal(1, (await world.AnchorAsync()).Epoch);

        var accepted = await admin.AcceptStoreAsync(new() { Epoch = 2, Reason = "the backup of noon" });

        await admin.LiftHoldAsync(hold.HoldId, new() { Reason = "over" });
        Assert.False(accepted.KeepsFromIssuing);
        Assert.Equal((2, 2, null), (accepted.Epoch, accepted.AnchorEpoch, accepted.AcceptAs));
        var unknown = Assert.Single(accepted.Unknown!, secrets => secrets.Count is not null);
        Assert.Equal(await world.VaultLeasesAsync(), unknown.VaultLeases.Select(id => id[(id.LastIndexOf('/') + 1)..]));
        Assert.Equal(2, (await world.AnchorAsync()).Epoch);
        var (kept, third) = await world.IssueAsync(world.Agent("i-3"), task: "t-3");
        await Eventually.BecomesTrueAsync(
            async () => !await world.Postgres.CanLogInAsync(second.Username, second.Password),
            "the user that no record knows is gone"
        );
        Assert.True(await world.Postgres.CanLogInAsync(third.Username, third.Password));
        Assert.Equal(LeaseStates.Active, (await world.LeaseAsync(kept)).State);
    }

    [Theory]
    [InlineData("store-accepted")]
    [InlineData("anchor-written")]
    public async Task A_kill_within_the_acceptance_leaves_it_accepted(string failpoint)
    {
#if !DEBUG
        Assert.Skip("Failpoints are compiled in Debug only.");
#endif
        await using var world = await World.StartAsync();
        await world.KillBrokerAsync();
        var backup = Copy(world.Folder, "broker.db", "backup");
        await world.StartBrokerAsync();
        await world.AnchoredAsync();
        await world.KillBrokerAsync();
        PutBack(world.Folder, "broker.db", backup);
        await world.StartBrokerAsync(failpoint, untilIssuing: false);
        await AssertBehindAsync(world);
        var accepting = world.Person("admin").AcceptStoreAsync(new() { Epoch = 2, Reason = "it is right" }).AsTask();
        await world.Broker.ReachedAsync(failpoint);
        Assert.Equal(failpoint == "store-accepted" ? 1 : 2, (await world.AnchorAsync()).Epoch);
        await world.KillBrokerAsync(accepting);

        await world.StartBrokerAsync();

        Assert.Equal(2, (await world.AnchorAsync()).Epoch);
        Assert.Equal(2, (await world.Person("admin").GetStoreAnchorAsync()).Epoch);
        await world.IssueAsync(world.Agent());
    }

    [Fact]
    public async Task A_database_that_lost_its_last_commits_is_noticed_when_it_is_reached_again_and_goes_on_without_a_restart()
    {
        await using var postgres = await TestPostgres.StartAsync();
        using var schema = await PostgresSchema.MakeAsync(postgres);
        await using var world = await World.StartAsync(
            settings: new Dictionary<string, string>
            {
                ["Storage:Provider"] = "postgres",
                ["Storage:ConnectionStringFile"] = schema.ConnectionStringFile,
                // Only a new connection has it looked at in time.
                ["Jobs:Anchor"] = "00:10:00",
            }
        );
        var (known, first) = await world.IssueAsync(world.Agent());
        var replica = await postgres.DumpAsync(schema.Name);
        await world.KillBrokerAsync();
        world.Settings["Jobs:Anchor"] = "00:00:01";
        await world.StartBrokerAsync();
        var (_, second) = await world.IssueAsync(world.Agent("i-2"), task: "t-2");
        await world.WritePolicyAsync(maxTtl: "9m");
        await Eventually.BecomesTrueAsync(
            async () => (await world.Person("admin").GetPolicyAsync()).Version == 2,
            "the policy is in force"
        );
        await world.AnchoredAsync();

        await postgres.RestoreAsync(schema.Name, replica);
        await postgres.CutAsync(schema.Name);

        await Eventually.BecomesTrueAsync(() => IsBehindAsync(world), "the store is behind");
        await AssertBehindAsync(world);
        await world.Person("admin").RevokeAsync(new() { Lease = known, Reason = "incident" });
        await world.ConfirmedAsync(known, first);
        Assert.True(await world.Postgres.CanLogInAsync(second.Username, second.Password));

        var accepted = await world.Person("admin").AcceptStoreAsync(new() { Epoch = 2, Reason = "the replica" });

        Assert.False(accepted.KeepsFromIssuing);
        Assert.Equal(1, Assert.Single(accepted.Unknown!, secrets => secrets.Count is not null).Count);
        await world.IssueAsync(world.Agent("i-3"), task: "t-3");
        Assert.Equal(
            (2, 2),
            ((await world.AnchorAsync()).Epoch, (await world.Person("admin").GetPolicyAsync()).Version)
        );
        await Eventually.BecomesTrueAsync(
            async () => !await world.Postgres.CanLogInAsync(second.Username, second.Password),
            "the user that no record knows is gone"
        );
    }

    [Fact]
    public async Task An_installation_that_was_set_up_before_there_were_anchors_goes_on_and_is_told()
    {
        await using var world = await World.StartAsync();
        await world.LoseStoreAsync();
        await world.WithoutAnchorAsync();
        await world.StartBrokerAsync();
        var parts = (await world.Broker.Connect("").GetHealthAsync("issuing")).Parts;
        var anchor = Assert.Single(parts, part => part.Name == "anchor");
        Assert.Equal(("ok", null), (anchor.Status, anchor.Code));
        Assert.Contains("run credbroker vault setup", anchor.Detail, StringComparison.Ordinal);
        await world.IssueAsync(world.Agent());
        Assert.Contains(AnchorCheck.Unkept, await world.CheckVaultAsync());

        await world.PrepareVaultAsync();

        await Eventually.BecomesTrueAsync(async () => (await world.AnchorAsync()).Serial > 0, "there is an anchor");
        Assert.Null((await world.Person("admin").GetStoreAnchorAsync()).NotKept);
        Assert.DoesNotContain(AnchorCheck.Unkept, await world.CheckVaultAsync());
    }

    private static async Task<bool> IsBehindAsync(World world) =>
        (await world.Broker.Connect("").GetHealthAsync("issuing")).Parts.Any(part => part.Code == "CB5004");

    private static async Task AssertBehindAsync(World world)
    {
        Assert.True(await IsBehindAsync(world));
        var refused = await Assert.ThrowsAsync<BrokerProblemException>(() =>
            world.ExchangeAsync(world.Agent("i-9"), task: "t-9")
        );
        Assert.Equal("CB5004", refused.Problem.Code);
    }

    private static string Copy(string folder, string from, string to)
    {
        var target = Directory.CreateDirectory(Path.Combine(folder, to)).FullName;
        foreach (
            var file in Directory
                .GetFiles(folder, $"{from}*")
                .Where(file => !file.EndsWith("-reserve", StringComparison.Ordinal))
        )
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        return target;
    }

    private static void PutBack(string folder, string name, string backup)
    {
        foreach (var file in Directory.GetFiles(folder, $"{name}*"))
        {
            File.Delete(file);
        }

        foreach (var file in Directory.GetFiles(backup))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
    }
}
