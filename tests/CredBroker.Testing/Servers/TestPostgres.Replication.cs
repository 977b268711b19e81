using CredBroker.Testing.Processes;

namespace CredBroker.Testing.Servers;

/// <summary>A server that follows another one, and takes its place.</summary>
public sealed partial class TestPostgres
{
    /// <summary>
    /// Starts a standby of this server, by <c>pg_basebackup</c> and streaming replication. It is asynchronous until
    /// <see cref="WaitForStandbysAsync"/>.
    /// </summary>
    /// <param name="through">A port that leads here, by which it follows.</param>
    public async Task<TestPostgres> StartStandbyAsync(int through)
    {
        var standby = new TestPostgres(
            _bin,
            Directory.CreateTempSubdirectory("credbroker-pg-"),
            LoopbackPort.Next(),
            _settings
        );
        try
        {
            if (Environment.IsPrivilegedProcess)
            {
                await ChildProcess.RunAsync("chown", "-R", "postgres:postgres", standby._directory.FullName);
            }

            await standby.RunAsync(
                "pg_basebackup",
                "-d",
                $"host=127.0.0.1 port={through} user={Superuser} password={SuperuserPassword}",
                "-D",
                standby.DataFolder,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync"
            );
            await standby.StartAgainAsync();
            return standby;
        }
        catch
        {
            await standby.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on a commit is answered when a standby has it, too.</summary>
    public async Task WaitForStandbysAsync()
    {
        // Each by itself: neither may stand in a transaction.
        await ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = '*'");
        await ExecuteAsync("SELECT pg_reload_conf()");
    }

    /// <summary>How many standbys have everything that this server has answered.</summary>
    public Task<long> StandbysInStepAsync() =>
        CountAsync("pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'");

    /// <summary>Makes a standby a server of its own.</summary>
    public Task PromoteAsync() => RunAsync("pg_ctl", "-D", DataFolder, "-w", "-t", Seconds, "-s", "promote");
}
