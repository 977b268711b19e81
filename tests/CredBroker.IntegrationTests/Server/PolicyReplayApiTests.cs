using System.Net;
using System.Text.Json;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Storage;

namespace CredBroker.IntegrationTests.Server;

/// <summary>What a document would change, of the past and of what people are asked, on both stores.</summary>
public sealed class PolicyReplayApiTests(SharedPostgres shared) : IClassFixture<SharedPostgres>
{
    private static readonly string Challenging = TestPolicy.Text.Replace(
        "effect: allow",
        "effect: challenge\n    approval: { approvers: [\"role:approver\"], expiresAfter: 30m }",
        StringComparison.Ordinal
    );

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Requests_of_the_past_are_decided_again_denied_ones_too(bool onPostgres)
    {
        using var schema = onPostgres ? await PostgresSchema.MakeAsync(await shared.GetAsync()) : null;
        await using var broker = await TestBroker.StartAsync(Settings(schema));
        await AskAsync(broker, "billing-readonly", HttpStatusCode.Created);
        await AskAsync(broker, "shared-key", HttpStatusCode.Created);
        await AskAsync(broker, "forbidden", HttpStatusCode.Forbidden);

        var same = await ReplayAsync(broker, TestPolicy.Text);
        var other = await ReplayAsync(
            broker,
            TestPolicy
                .Text.Replace("\"billing-readonly\", ", "", StringComparison.Ordinal)
                .Replace("effect: deny", "effect: allow", StringComparison.Ordinal)
                .Replace(
                    "credential.name == \"forbidden\"",
                    "agent == \"triage\" && credential.name == \"forbidden\"",
                    StringComparison.Ordinal
                )
                .Replace(
                    "acceptsUnrevocable: [agent-mtls, shared-key]",
                    "acceptsUnrevocable: [agent-mtls, shared-key, forbidden]",
                    StringComparison.Ordinal
                )
        );

        Assert.Equal((3, 0), (same.GetProperty("replayed").GetInt32(), same.GetProperty("changes").GetArrayLength()));
        Assert.False(same.TryGetProperty("next", out _));
        Assert.False(same.TryGetProperty("archivedUntil", out _));
        Assert.Equal((1, 1), (other.GetProperty("newDenials").GetInt32(), other.GetProperty("newAllows").GetInt32()));
        Assert.Equal(
            [
                ("invoice-triage", "allow", "triage-reads", "deny", "CB2001", 1),
                ("invoice-triage", "deny", "nobody", "allow", "nobody", 1),
            ],
            other
                .GetProperty("changes")
                .EnumerateArray()
                .Select(change =>
                    (
                        change.GetProperty("process").GetString()!,
                        change.GetProperty("then").GetProperty("effect").GetString()!,
                        change.GetProperty("then").GetProperty("rule").GetString()!,
                        change.GetProperty("now").GetProperty("effect").GetString()!,
                        change.GetProperty("now").GetProperty("rule").GetString()!,
                        change.GetProperty("count").GetInt32()
                    )
                )
                .Order()
        );
        Assert.Equal(1, (await GetAsync(broker, "/v1/policy")).GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task A_replay_of_nothing_of_a_bad_document_and_of_a_bad_range_says_so()
    {
        await using var broker = await TestBroker.StartAsync();
        await AskAsync(broker, "billing-readonly", HttpStatusCode.Created);

        var faulty = await ReplayAsync(broker, "apiVersion: credbroker/v1\nagents: [");
        Assert.NotEmpty(faulty.GetProperty("faults").EnumerateArray());
        Assert.Equal(0, faulty.GetProperty("scanned").GetInt32());
        foreach (
            var body in new object[]
            {
                new
                {
                    text = TestPolicy.Text,
                    from = "2030-01-01T00:00:00Z",
                    to = "2029-01-01T00:00:00Z",
                },
                new
                {
                    text = TestPolicy.Text,
                    from = "2026-01-01T00:00:00Z",
                    after = "x",
                },
            }
        )
        {
            using var refused = await broker.SendAsync(
                HttpMethod.Post,
                "/v1/policy/replay",
                broker.Person("viewer"),
                Api.Json(JsonSerializer.Serialize(body))
            );
            await refused.ReadProblemAsync("CB6003");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_preview_lists_the_requests_to_people_that_a_document_takes_back(bool onPostgres)
    {
        using var schema = onPostgres ? await PostgresSchema.MakeAsync(await shared.GetAsync()) : null;
        await using var broker = await TestBroker.StartAsync(Settings(schema), policy: Challenging);
        var asked = (await AskAsync(broker, "billing-readonly", HttpStatusCode.Accepted))
            .GetProperty("approvalId")
            .GetString();
        await AskAsync(broker, "vault-token", HttpStatusCode.Accepted);

        using var previewed = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/policy/preview",
            broker.Person("viewer"),
            Api.Json(
                JsonSerializer.Serialize(
                    new { text = Challenging.Replace("\"billing-readonly\", ", "", StringComparison.Ordinal) }
                )
            )
        );

        var preview = await previewed.ReadAsync(HttpStatusCode.OK);
        Assert.Equal(2, preview.GetProperty("openApprovals").GetInt32());
        var voided = Assert.Single(preview.GetProperty("voided").EnumerateArray());
        Assert.Equal(
            (asked, "pending", "deny", "CB2001"),
            (
                voided.GetProperty("approvalId").GetString(),
                voided.GetProperty("state").GetString(),
                voided.GetProperty("effect").GetString(),
                voided.GetProperty("rule").GetString()
            )
        );
    }

    private static Dictionary<string, string?> Settings(PostgresSchema? schema) =>
        schema is null
            ? []
            : new()
            {
                ["Storage:Provider"] = "postgres",
                ["Storage:ConnectionStringFile"] = schema.ConnectionStringFile,
            };

    private static async Task<JsonElement> AskAsync(TestBroker broker, string credential, HttpStatusCode expected)
    {
        using var response = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            broker.Agent(),
            Api.Exchange(credential)
        );
        return await response.ReadAsync(expected);
    }

    private static async Task<JsonElement> ReplayAsync(TestBroker broker, string text)
    {
        using var response = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/policy/replay",
            broker.Person("viewer"),
            Api.Json(JsonSerializer.Serialize(new { text, from = "2020-01-01T00:00:00Z" }))
        );
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private static async Task<JsonElement> GetAsync(TestBroker broker, string path)
    {
        using var response = await broker.SendAsync(HttpMethod.Get, path, broker.Person("viewer"));
        return await response.ReadAsync(HttpStatusCode.OK);
    }
}
