using System.Data.Common;
using CredBroker.FaultHarness.Faults;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;
using Npgsql;

namespace CredBroker.FaultHarness.Servers;

/// <summary>
/// A PostgreSQL schema that all brokers share, each by a link of its own. The server holds nothing else: one that loses
/// its last commits would bring back users that OpenBao had dropped, which no broker could know.
/// </summary>
internal sealed class PostgresStore : ArenaStore
{
    private const string Schema = "cb_store";
    private const string Password = "password-of-the-store";

    private static readonly TimeSpan UntilInStep = TimeSpan.FromSeconds(30);

    private readonly string _folder;
    private readonly Failover _failover;
    private volatile TestPostgres _server;
    private TestPostgres? _standby;
    private ChaosProxy? _replication;
    private volatile int _losses;

    private PostgresStore(string folder, TestPostgres server, int brokers, Failover failover)
    {
        (_folder, _server, _failover) = (folder, server, failover);
        Links = [.. Enumerable.Range(0, brokers).Select(_ => new ChaosProxy(LoopbackPort.Next(), server.Port))];
    }

    /// <summary>The one that the links lead to.</summary>
    public TestPostgres Server => _server;

    /// <summary>Whether there is a standby that can take its place.</summary>
    public bool HasStandby => _failover != Failover.None;

    /// <summary>Whether all that was answered is on the standby, too.</summary>
    public bool IsSynchronous => _failover == Failover.Sync;

    /// <summary>When a standby was promoted last.</summary>
    public DateTimeOffset PromotedAt { get; private set; }

    public override int Losses => _losses;

    /// <summary>From each broker to the server.</summary>
    public IReadOnlyList<ChaosProxy> Links { get; }

    public static async Task<PostgresStore> MakeAsync(string folder, int brokers, Failover failover)
    {
        var server = await TestPostgres.StartAsync();
        await server.ExecuteAsync(
            $"""
            CREATE ROLE {Schema} LOGIN PASSWORD '{Password}';
            CREATE SCHEMA {Schema} AUTHORIZATION {Schema};
            ALTER ROLE {Schema} SET search_path = {Schema};
            """
        );
        var store = new PostgresStore(folder, server, brokers, failover);
        await store.FollowAsync();
        return store;
    }

    public override IReadOnlyDictionary<string, string> Settings(int broker)
    {
        var file = Path.Combine(_folder, $"store-connection-{broker + 1}");
        File.WriteAllText(
            file,
            $"Host=127.0.0.1;Port={Links[broker].Port};Database={TestPostgres.Database};Username={Schema};Password={Password}"
        );
        return new Dictionary<string, string>
        {
            ["Storage:Provider"] = "postgres",
            ["Storage:ConnectionStringFile"] = file,
        };
    }

    /// <summary>
    /// The server dies with all its sessions, its standby is promoted, and the links lead there. An asynchronous one lacks
    /// what was committed in this time.
    /// </summary>
    /// <returns>Whether it was done: a synchronous standby that is not in step is not promoted.</returns>
    public async Task<bool> FailOverAsync(TimeSpan behind)
    {
        if (IsSynchronous && !await IsInStepAsync())
        {
            return false;
        }

        // Twice: whatever was answered meanwhile may be lost, too.
        CountLoss();
        if (behind > TimeSpan.Zero)
        {
            _replication!.Set(LinkFault.BlackHole);
            await Fault.LastAsync(behind);
        }

        var (old, next) = (_server, _standby!);
        await old.StopAsync();
        await _replication!.DisposeAsync();
        await next.PromoteAsync();
        (_server, PromotedAt) = (next, TimeProvider.System.GetUtcNow());
        CountLoss();
        foreach (var link in Links)
        {
            link.LeadTo(next.Port);
        }

        await old.DisposeAsync();
        return true;
    }

    /// <summary>Makes a standby of the server as it is now.</summary>
    public async Task FollowAsync()
    {
        if (HasStandby)
        {
            _replication = new ChaosProxy(LoopbackPort.Next(), _server.Port);
            _standby = await _server.StartStandbyAsync(_replication.Port);
            if (IsSynchronous)
            {
                await _server.WaitForStandbysAsync();
            }
        }
    }

    private async Task<bool> IsInStepAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        while (await _server.StandbysInStepAsync() == 0)
        {
            if (TimeProvider.System.GetElapsedTime(started) > UntilInStep)
            {
                return false;
            }

            await Fault.LastAsync(TimeSpan.FromMilliseconds(100));
        }

        return true;
    }

    private void CountLoss() => _losses += IsSynchronous ? 0 : 1;

    public override async Task<DbConnection> OpenAsync()
    {
        var connection = await Server.ConnectAsync();
        try
        {
            await using var look = new NpgsqlCommand($"SET search_path = {Schema}", connection);
            await look.ExecuteNonQueryAsync();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public override bool IsBroken(Exception error) => TestPostgres.IsDown(error);

    public override async Task KeepAsync(string folder)
    {
        File.Copy(await Server.DumpAsync(Schema), Path.Combine(folder, "store.dump"), overwrite: true);
        File.Copy(Server.LogPath, Path.Combine(folder, "store-postgresql.log"), overwrite: true);
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var link in Links)
        {
            await link.DisposeAsync();
        }

        if (_replication is not null && _standby is not null)
        {
            await _replication.DisposeAsync();
            await _standby.DisposeAsync();
        }

        await Server.DisposeAsync();
    }
}
