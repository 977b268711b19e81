using System.Text.Json.Nodes;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// A class fixture: one OpenBao prepared for one PostgreSQL, started at first use. Each test finds it running and
/// without users.
/// </summary>
public sealed class PreparedDatabase : IAsyncDisposable
{
    private BaoEnvironment? _environment;

    internal async Task<BaoEnvironment> GetAsync()
    {
        TestBao.SkipUnlessAvailable();
        TestPostgres.SkipUnlessAvailable();
        _environment ??= await BaoEnvironment.StartAsync(await TestBao.StartAsync(), await TestPostgres.StartAsync());
        if (!_environment.Postgres!.IsRunning)
        {
            await _environment.Postgres.StartAgainAsync();
        }

        await _environment.Bao.SendAsync(
            HttpMethod.Post,
            "sys/leases/revoke-prefix/database",
            new JsonObject { ["sync"] = true }
        );
        return _environment;
    }

    public ValueTask DisposeAsync() => _environment?.DisposeAsync() ?? ValueTask.CompletedTask;
}
