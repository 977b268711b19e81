using CredBroker.Client;
using CredBroker.Core.Audit;
using CredBroker.IntegrationTests.Cli;
using CredBroker.IntegrationTests.Storage;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>A broker's store is moved from SQLite to PostgreSQL between two runs, with nothing faked.</summary>
public sealed class StoreMoveTests
{
    [Fact]
    public async Task What_was_minted_before_a_move_is_revoked_after_it_and_the_log_is_one()
    {
        await using var world = await World.StartAsync();
        var (leaseId, secret) = await world.IssueAsync(world.Agent());
        using var schema = await PostgresSchema.MakeAsync(world.Postgres);
        string[] copy =
        [
            "store",
            "copy",
            "--from",
            $"sqlite:{world.Settings["Storage:SqliteFile"]}",
            "--to",
            $"postgres:{schema.ConnectionStringFile}",
        ];
        var busy = await CliRun.RunAsync(new Dictionary<string, string>(), copy);
        Assert.Equal(4, busy.ExitCode);
        Assert.Equal(0, await world.Broker.StopAsync());
        await world.Broker.DisposeAsync();

        var moved = await CliRun.RunAsync(new Dictionary<string, string>(), copy);
        Assert.True(moved.ExitCode == 0, moved.Error);
        var (exitCode, output) = await BrokerProcess.RunAsync([], world.Settings);
        Assert.Equal(1, exitCode);
        Assert.Contains("It was moved to", output, StringComparison.Ordinal);

        (world.Settings["Storage:Provider"], world.Settings["Storage:ConnectionStringFile"]) = (
            "postgres",
            schema.ConnectionStringFile
        );
        await world.StartBrokerAsync();
        Assert.Equal(LeaseStates.Active, (await world.LeaseAsync(leaseId)).State);
        await world.Person("admin").RevokeAsync(new() { Lease = leaseId, Reason = "moved" });
        await world.ConfirmedAsync(leaseId, secret);
        await world.IssueAsync(world.Agent("i-2"));

        using var export = new MemoryStream();
        await foreach (var line in world.Person("auditor").ExportAuditAsync(new()))
        {
            await export.WriteAsync(line.Bytes);
            export.WriteByte((byte)'\n');
        }

        export.Position = 0;
        var verification = await AuditVerifier.VerifyAsync(export, [], default);
        Assert.True(verification.Holds, verification.Fault?.What);
        Assert.True(verification.IsWhole);
        Assert.Equal(2, verification.Streams.Count);
        Assert.Equal($"Head: {verification.Streams[0].Head}", moved.Out.TrimEnd().Split('\n')[^1]);
    }
}
