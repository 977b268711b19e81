using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Vault;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using static CredBroker.IntegrationTests.Vault.Issuance;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// Tests with agents that may make tables, in the schema <c>work</c>, in which <c>cb_objects</c> may create nothing.
/// Each test finds it empty.
/// </summary>
public abstract class WorkSchemaTests(PreparedDatabase database) : IClassFixture<PreparedDatabase>, IAsyncLifetime
{
    private BaoEnvironment? _environment;
    private VaultSecretIssuer? _issuer;

    internal BaoEnvironment Environment => _environment!;

    internal TestPostgres Postgres => Environment.Postgres!;

    internal VaultSecretIssuer Issuer => _issuer!;

    internal CatalogueEntry Writer =>
        With(
            "work-writer",
            "GRANT USAGE, CREATE ON SCHEMA work TO \"{{name}}\"",
            "GRANT SELECT ON ALL TABLES IN SCHEMA work TO \"{{name}}\""
        );

    public async ValueTask InitializeAsync()
    {
        _environment = await database.GetAsync();
        await Postgres.ExecuteAsync(
            """
            DROP SCHEMA IF EXISTS work CASCADE;
            CREATE SCHEMA work;
            GRANT USAGE, CREATE ON SCHEMA work TO cb_admin WITH GRANT OPTION;
            """
        );
        Assert.True((await Environment.SetUpAsync([Environment.Database, Writer])).IsComplete);
        _issuer = new(Environment.Options, TimeProvider.System, NullLogger<VaultSecretIssuer>.Instance);
    }

    public ValueTask DisposeAsync()
    {
        _issuer?.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    internal CatalogueEntry With(string name, params string[] grants)
    {
        var entry = Environment.DatabaseEntry(name);
        return entry with { Setup = entry.Setup! with { Grants = grants } };
    }

    internal async Task<(Lease Lease, IssuedSecret.Database Secret)> IssueAsync(CatalogueEntry? entry = null)
    {
        var plan = Plan(entry ?? Writer);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child;
        var minted = await Issuer.MintAsync(plan, child, default);
        Assert.True(minted is MintOutcome.Minted, minted.ToString());
        var secret = (MintOutcome.Minted)minted;
        return (Lease(plan, child, secret), (IssuedSecret.Database)secret.Secret);
    }

    internal async Task ConfirmAsync(Lease lease)
    {
        var outcome = await Issuer.RevokeAsync(lease, default);
        Assert.True(outcome is RevokeOutcome.Confirmed, outcome.ToString());
    }

    internal async Task RunAsync(IssuedSecret.Database secret, string sql)
    {
        await using var session = await ConnectAsync(secret);
        await using var command = new NpgsqlCommand(sql, session);
        await command.ExecuteNonQueryAsync();
    }

    internal Task<NpgsqlConnection> ConnectAsync(IssuedSecret.Database secret) =>
        Postgres.ConnectAsync(secret.Username, secret.Password.Reveal());

    internal async Task<string?> ReadAsync(string sql)
    {
        await using var session = await Postgres.ConnectAsync();
        await using var command = new NpgsqlCommand(sql, session);
        return (await command.ExecuteScalarAsync())?.ToString();
    }
}
