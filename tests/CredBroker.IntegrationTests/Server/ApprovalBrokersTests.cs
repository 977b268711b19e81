using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Storage;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace CredBroker.IntegrationTests.Server;

/// <summary>One question at two brokers that share a PostgreSQL store.</summary>
public sealed class ApprovalBrokersTests(SharedPostgres shared) : IClassFixture<SharedPostgres>
{
    [Fact]
    public async Task A_reference_that_is_redeemed_at_both_at_once_gives_one_secret()
    {
        using var schema = await PostgresSchema.MakeAsync(await shared.GetAsync());
        await using var here = await StartAsync(schema);
        await using var there = await StartAsync(schema, here);
        var (desk, other) = (new ApprovalDesk(here), new ApprovalDesk(there));
        for (var round = 0; round < 3; round++)
        {
            var body = ApprovalDesk.With("resource", $"\"round {round}\"");
            var id = await desk.ApprovedAsync(body: body);

            var replies = await Task.WhenAll(
                Enumerable.Range(0, 6).Select(i => (i % 2 == 0 ? desk : other).ExchangeAsync(here.Agent(), id, body))
            );

            Assert.Single(replies, reply => reply.StatusCode == HttpStatusCode.Created);
            foreach (var reply in replies.Where(reply => reply.StatusCode != HttpStatusCode.Created))
            {
                await reply.ReadProblemAsync("CB3005");
            }

            Assert.Equal(round + 1, here.Vault.Minted + there.Vault.Minted);
        }

        Assert.Equal(3, (await desk.EventsAsync("approval.redeemed")).Count);
        Assert.Equal(15, (await desk.EventsAsync("request.denied")).Count(IsUsed));

        static bool IsUsed(JsonElement denied) => denied.GetProperty("reason").GetString() == "CB3005";
    }

    [Fact]
    public async Task Who_waits_at_one_hears_at_once_what_is_decided_at_the_other()
    {
        using var schema = await PostgresSchema.MakeAsync(await shared.GetAsync());
        // No second passes here: only the other's news ends the wait.
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var here = await StartAsync(schema, time: clock);
        await using var there = await StartAsync(schema, here);
        var (asked, waiting) = await WaitAsync(here, clock);

        using var said = await new ApprovalDesk(there).AgreeAsync(asked, new ApprovalDesk(here).Lead());
        await said.ReadAsync(HttpStatusCode.OK);

        Assert.Equal("approved", await waiting.WaitAsync(Patience.Limit));
    }

    [Fact]
    public async Task Who_waits_where_no_news_comes_hears_it_by_looking()
    {
        var postgres = await shared.GetAsync();
        using var schema = await PostgresSchema.MakeAsync(postgres);
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var here = await StartAsync(schema, time: clock);
        await using var there = await StartAsync(schema, here);
        var (asked, waiting) = await WaitAsync(here, clock);
        await CutNewsAsync(postgres, schema);

        using var said = await new ApprovalDesk(there).AgreeAsync(asked, new ApprovalDesk(here).Lead());
        await said.ReadAsync(HttpStatusCode.OK);
        Assert.False(waiting.IsCompleted);

        await Eventually.BecomesTrueAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromMilliseconds(100));
                return Task.FromResult(waiting.IsCompleted);
            },
            "the wait is over"
        );
        Assert.Equal("approved", await waiting);
    }

    [Theory]
    [InlineData("policy", "CB2016", "CB3006", "CB3007")]
    [InlineData("hold", "CB2017")]
    [InlineData("revocation", "CB2015", "CB3007")]
    public async Task Who_has_not_heard_of_what_was_ordered_at_the_other_redeems_nothing(
        string order,
        params string[] codes
    )
    {
        var postgres = await shared.GetAsync();
        using var schema = await PostgresSchema.MakeAsync(postgres);
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var deaf = await StartAsync(schema, time: clock);
        await using var other = await StartAsync(schema, deaf);
        var desk = new ApprovalDesk(deaf);
        var asked = await AskAsync(deaf, clock, ApprovalDesk.Body());
        using (var said = await new ApprovalDesk(other).AgreeAsync(asked, desk.Lead()))
        {
            await said.ReadAsync(HttpStatusCode.OK);
        }

        await CutNewsAsync(postgres, schema);
        if (order == "policy")
        {
            await File.WriteAllTextAsync(
                other.PolicyFile,
                ApprovalDesk.Replace(ApprovalDesk.Policy(), ("expiresAfter: 30m", "quorum: 2, expiresAfter: 30m"))
            );
            await Eventually.BecomesTrueAsync(
                async () =>
                {
                    using var read = await other.SendAsync(HttpMethod.Get, "/v1/policy", deaf.Person("admin"));
                    return (await read.ReadAsync(HttpStatusCode.OK)).GetProperty("version").GetInt64() == 2;
                },
                "the policy is in force"
            );
        }
        else
        {
            using var ordered = await other.SendAsync(
                HttpMethod.Post,
                order == "hold" ? "/v1/holds" : "/v1/revocations",
                deaf.Person("admin"),
                Api.Json("""{"agent":"triage","reason":"incident","allowNone":true}""")
            );
            Assert.True(ordered.IsSuccessStatusCode, await ordered.Content.ReadAsStringAsync());
        }

        // Or its clock has stood for too long.
        await desk.RefusedAsync(await desk.ExchangeAsync(deaf.Agent(), asked.Id), 0, [.. codes, "CB5005"]);
        Assert.Equal(0, other.Vault.Minted);
    }

    /// <summary>
    /// Ends whatever listens to the store's news. A broker whose clock stands still does not listen again, and another does.
    /// </summary>
    private static async Task CutNewsAsync(TestPostgres postgres, PostgresSchema schema)
    {
        var listens = $"usename = '{schema.Name}' AND query LIKE 'LISTEN %'";
        var cut = await ListenersAsync();
        Assert.NotEmpty(cut);
        await postgres.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listens}");
        await Eventually.BecomesTrueAsync(
            async () => !(await ListenersAsync()).Overlaps(cut),
            "those that listened are gone"
        );

        async Task<HashSet<int>> ListenersAsync()
        {
            await using var connection = await postgres.ConnectAsync();
            await using var command = new NpgsqlCommand(
                $"SELECT pid FROM pg_stat_activity WHERE {listens}",
                connection
            );
            await using var reader = await command.ExecuteReaderAsync();
            var found = new HashSet<int>();
            while (await reader.ReadAsync())
            {
                found.Add(reader.GetInt32(0));
            }

            return found;
        }
    }

    private static async Task<TestBroker> StartAsync(
        PostgresSchema schema,
        TestBroker? first = null,
        TimeProvider? time = null
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

        return await TestBroker.StartAsync(
            settings,
            ApprovalDesk.Policy(),
            replace: services =>
            {
                if (time is not null)
                {
                    services.Replace(ServiceDescriptor.Singleton(time));
                }
            }
        );
    }

    /// <summary>
    /// Asks, and waits for people's word. Where it returns, the wait has begun, and the broker's clock stands still.
    /// </summary>
    private static async Task<((string Id, string Digest) Asked, Task<string?> Waiting)> WaitAsync(
        TestBroker broker,
        FakeTimeProvider clock
    )
    {
        for (var round = 0; ; round++)
        {
            var asked = await AskAsync(broker, clock, ApprovalDesk.With("resource", $"\"round {round}\""));
            var waiting = StatusAsync(broker, asked.Id, "?wait=30s");
            // One waits for a question at a time: the first look besides is told to slow down. Whoever came before the
            // wait asks something else.
            if (await StatusAsync(broker, asked.Id) == "slow_down")
            {
                return (asked, waiting);
            }

            Assert.True(round < 10, "the wait has not begun before the look in any round");
        }
    }

    /// <summary>Asks once the clock, which is set right, is taken for right: the store's goes on by itself.</summary>
    private static async Task<(string Id, string Digest)> AskAsync(
        TestBroker broker,
        FakeTimeProvider clock,
        JsonObject body
    )
    {
        var asked = ("", "");
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                clock.SetUtcNow(TimeProvider.System.GetUtcNow());
                using var response = await new ApprovalDesk(broker).ExchangeAsync(broker.Agent(), body: body);
                if (response.StatusCode != HttpStatusCode.Accepted)
                {
                    return false;
                }

                var answer = await response.ReadAsync(HttpStatusCode.Accepted);
                asked = (answer.GetProperty("approvalId").GetString()!, answer.GetProperty("digest").GetString()!);
                return true;
            },
            "people are asked"
        );
        return asked;
    }

    private static async Task<string?> StatusAsync(TestBroker broker, string id, string query = "")
    {
        using var response = await broker.SendAsync(HttpMethod.Get, $"/v1/requests/{id}{query}", broker.Agent());
        return (await response.ReadAsync(HttpStatusCode.OK)).GetProperty("status").GetString();
    }
}
