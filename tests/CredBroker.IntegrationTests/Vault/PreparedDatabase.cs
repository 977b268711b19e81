using System.Text.Json.Nodes;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>A class fixture: one OpenBao prepared for one PostgreSQL, started at first use. Each test finds it running and without users.</summary>
public sealed class PreparedDatabase : IAsyncDisposable
{
    private BaoEnvironment? environment;

    internal async Task<BaoEnvironment> GetAsync()
    {
        TestBao.SkipUnlessAvailable();
        TestPostgres.SkipUnlessAvailable();
        environment ??= await BaoEnvironment.StartAsync(await TestBao.StartAsync(), await TestPostgres.StartAsync());
        if (!environment.Postgres!.IsRunning)
        {
            await environment.Postgres.StartAgainAsync();
        }

        await environment.Bao.SendAsync(HttpMethod.Post, "sys/leases/revoke-prefix/database", new JsonObject { ["sync"] = true });
        return environment;
    }

    public ValueTask DisposeAsync() => environment?.DisposeAsync() ?? ValueTask.CompletedTask;
}
