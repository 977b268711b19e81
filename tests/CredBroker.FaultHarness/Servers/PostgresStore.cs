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

    private readonly string _folder;

    private PostgresStore(string folder, TestPostgres server, int brokers)
    {
        (_folder, Server) = (folder, server);
        Links = [.. Enumerable.Range(0, brokers).Select(_ => new ChaosProxy(LoopbackPort.Next(), server.Port))];
    }

    public TestPostgres Server { get; }

    /// <summary>From each broker to the server.</summary>
    public IReadOnlyList<ChaosProxy> Links { get; }

    public static async Task<PostgresStore> MakeAsync(string folder, int brokers)
    {
        var server = await TestPostgres.StartAsync();
        await server.ExecuteAsync(
            $"""
            CREATE ROLE {Schema} LOGIN PASSWORD '{Password}';
            CREATE SCHEMA {Schema} AUTHORIZATION {Schema};
            ALTER ROLE {Schema} SET search_path = {Schema};
            """
        );
        return new(folder, server, brokers);
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

        await Server.DisposeAsync();
    }
}
