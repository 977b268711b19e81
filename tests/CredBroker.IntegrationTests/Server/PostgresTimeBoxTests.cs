using System.Net;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.IntegrationTests.Server;

/// <summary>The same on PostgreSQL, where two brokers share what is open.</summary>
public sealed class PostgresTimeBoxTests(SharedPostgres shared)
    : TimeBoxAttacks,
        IClassFixture<SharedPostgres>,
        IDisposable
{
    private const string Offered = """{ approvers: ["group:leads"], expiresAfter: 30m, timeBox: 1h }""";

    private readonly List<PostgresSchema> _schemas = [];

    [Fact]
    public async Task What_was_opened_at_one_broker_is_used_at_the_other_until_it_ends_at_either()
    {
        var schema = await SchemaAsync();
        await using var here = await StartAsync(schema, ApprovalDesk.Policy(Offered), first: null, replace: null);
        await using var there = await StartAsync(schema, ApprovalDesk.Policy(Offered), here, replace: null);
        var (desk, other) = (new ApprovalDesk(here), new ApprovalDesk(there));
        var id = await OpenAsync(desk);
        await IssuedAsync(other, token: here.Agent());

        // An order besides would reach what is under way at the other, too.
        using (var ended = await RevokeAsync(here, id, desk.Lead(), leases: false))
        {
            await ended.ReadAsync(HttpStatusCode.OK);
        }

        // With no time to hear of it.
        await AskedAsync(other, id, token: here.Agent(), minted: 1);
        await desk.RefusedAsync(await other.ExchangeAsync(here.Agent(), id, Body()), 1, "CB3005");
    }

    public void Dispose() => _schemas.ForEach(schema => schema.Dispose());

    private protected override async Task<TestBroker> StartAsync(string policy, Action<IServiceCollection>? replace) =>
        await StartAsync(await SchemaAsync(), policy, first: null, replace);

    private static Task<TestBroker> StartAsync(
        PostgresSchema schema,
        string policy,
        TestBroker? first,
        Action<IServiceCollection>? replace
    )
    {
        var settings = ApprovalDesk.Settings(
            ("Storage:Provider", "postgres"),
            ("Storage:ConnectionStringFile", schema.ConnectionStringFile)
        );
        if (first is not null)
        {
            // Both take the same tokens.
            settings["Identity:Issuers:0:Jwks:File"] = first.Workloads.JwksFile;
            settings["Identity:Issuers:1:Jwks:File"] = first.People.JwksFile;
        }

        return TestBroker.StartAsync(settings, policy, replace: replace);
    }

    private async Task<PostgresSchema> SchemaAsync()
    {
        var schema = await PostgresSchema.MakeAsync(await shared.GetAsync());
        _schemas.Add(schema);
        return schema;
    }
}
