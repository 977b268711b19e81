using CredBroker.Storage;
using CredBroker.Testing.Processes;
using Npgsql;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>
/// A schema of a test's own, and a login that owns nothing else, with the file that leads a broker there.
/// </summary>
internal sealed class PostgresSchema : IDisposable
{
    private const string Password = "password-of-the-store";
    private readonly TestPostgres _postgres;
    private readonly TemporaryFolder _folder = new();

    private PostgresSchema(TestPostgres postgres, string name)
    {
        (_postgres, Name) = (postgres, name);
        LeadTo(postgres.Port);
    }

    public string Name { get; }

    public string ConnectionStringFile => Path.Combine(_folder.Path, "connection-string");

    public StorageOptions Options =>
        new() { Provider = StorageProvider.Postgres, ConnectionStringFile = ConnectionStringFile };

    public static async Task<PostgresSchema> MakeAsync(TestPostgres postgres, string? name = null)
    {
        name ??= $"cb_{Guid.NewGuid():N}";
        await postgres.ExecuteAsync(
            $"""
            CREATE ROLE {name} LOGIN PASSWORD '{Password}';
            CREATE SCHEMA {name} AUTHORIZATION {name};
            ALTER ROLE {name} SET search_path = {name};
            """
        );
        return new(postgres, name);
    }

    /// <summary>Has the file lead to this port, where a proxy may be.</summary>
    public void LeadTo(int port, string password = Password, string host = "127.0.0.1", string more = "") =>
        File.WriteAllText(
            ConnectionStringFile,
            $"Host={host};Port={port};Database={TestPostgres.Database};Username={Name};Password={password};{more}"
        );

    /// <summary>Runs SQL in the schema, as the superuser.</summary>
    public Task ExecuteAsync(string sql) => _postgres.ExecuteAsync($"SET search_path = {Name}; {sql}");

    /// <summary>How many rows a table of the schema has.</summary>
    public Task<long> CountAsync(string table) => _postgres.CountAsync($"{Name}.{table}");

    /// <summary>Everything that the tables hold, as text.</summary>
    public async Task<string> DumpAsync()
    {
        await using var connection = await _postgres.ConnectAsync();
        await using var command = new NpgsqlCommand(
            $"SELECT schema_to_xml('{Name}', true, true, '')::text || coalesce((SELECT string_agg(convert_from(bytes, 'UTF8'), ' ') FROM {Name}.audit_record), '')",
            connection
        );
        return (string)(await command.ExecuteScalarAsync())!;
    }

    public void Dispose() => _folder.Dispose();
}
