using System.Text.Json;
using CredBroker.Client;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>Commands that take how an id begins, on the real broker.</summary>
public sealed class ShortIdTests(DevBroker broker) : IClassFixture<DevBroker>
{
    [Fact]
    public async Task A_lease_and_its_order_are_named_by_how_their_ids_begin()
    {
        var (admin, lease) = (await broker.PersonAsync("admin"), await LeaseAsync("short-1"));
        var begins = lease[..20];

        var shown = await CliRun.RunAsync(admin, "leases", "show", begins, "-o", "json");
        Assert.Equal(lease, JsonElement.Parse(shown.Out).GetProperty("leaseId").GetString());

        var revoked = await CliRun.RunAsync(admin, "leases", "revoke", begins, "--reason", "r", "-o", "json");
        Assert.True(revoked.ExitCode == 0, revoked.Error);
        var order = JsonElement.Parse(revoked.Out).GetProperty("revocationId").GetString()!;
        Assert.Equal(lease, JsonElement.Parse(revoked.Out).GetProperty("leases")[0].GetProperty("leaseId").GetString());
        Assert.Contains(
            "1 lease over",
            (await CliRun.RunAsync(admin, "orders", "show", order[..20])).Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task What_begins_more_than_one_lease_revokes_none()
    {
        var admin = await broker.PersonAsync("admin");
        List<string> leases = [await LeaseAsync("short-2"), await LeaseAsync("short-2")];
        if (leases[0][..8] != leases[1][..8])
        {
            // Eight digits are 65 seconds, whose end was between the two. The third has those of the second.
            leases.Add(await LeaseAsync("short-2"));
        }

        string[] alike = [.. leases[^2..]];
        var shared = alike[0][..8];
        Assert.StartsWith(shared, alike[1], StringComparison.Ordinal);

        var refused = await CliRun.RunAsync(admin, "leases", "revoke", shared, "--reason", "r");

        Assert.Equal((2, ""), (refused.ExitCode, refused.Out));
        Assert.All(alike, lease => Assert.Contains(lease, refused.Error, StringComparison.Ordinal));
        Assert.Equal(3, (await CliRun.RunAsync(admin, "leases", "revoke", "ffffffff", "--reason", "r")).ExitCode);
        var held = await CliRun.RunAsync(admin, "leases", "list", "--instance", "short-2", "-o", "json");
        Assert.Equal(leases.Count, JsonElement.Parse(held.Out).GetProperty("leases").GetArrayLength());
    }

    [Fact]
    public async Task Who_may_list_nothing_finds_nothing_by_how_it_begins()
    {
        var (agent, lease) = (await broker.AgentAsync("short-3"), await LeaseAsync("short-3"));

        foreach (
            var args in new string[][]
            {
                ["leases", "show", lease[..20]],
                ["leases", "revoke", lease[..20], "--reason", "r"],
                ["orders", "show", lease[..20]],
            }
        )
        {
            var run = await CliRun.RunAsync(agent, args);

            Assert.Equal((3, ""), (run.ExitCode, run.Out));
            Assert.Contains("CB1017", run.Error, StringComparison.Ordinal);
            Assert.DoesNotContain(lease, run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_hold_is_lifted_by_how_its_id_begins()
    {
        var admin = await broker.PersonAsync("admin");
        var placed = await CliRun.RunAsync(
            admin,
            ["holds", "add", "--instance", "short-4", "--allow-none", "--reason", "r", "-o", "json"]
        );
        var hold = JsonElement.Parse(placed.Out).GetProperty("holdId").GetString()!;

        var lifted = await CliRun.RunAsync(admin, "holds", "lift", hold[..20], "--reason", "over", "-o", "json");

        Assert.True(lifted.ExitCode == 0, lifted.Error);
        Assert.Equal(hold, JsonElement.Parse(lifted.Out).GetProperty("holdId").GetString());
        Assert.Equal(3, (await CliRun.RunAsync(admin, "holds", "lift", hold[..20], "--reason", "over")).ExitCode);
    }

    [Fact]
    public async Task A_request_is_looked_at_and_decided_by_how_its_id_begins_by_whom_it_waits_for()
    {
        var (agent, owner) = (await broker.AgentAsync("short-5"), await broker.PersonAsync("owner"));
        var asked = await CliRun.RunAsync(
            agent,
            ["exchange", "outgoing-mail-key", .. Task("short-5", "send"), "-o", "json"]
        );
        Assert.Equal(4, asked.ExitCode);
        var request = JsonElement.Parse(asked.Error).GetProperty("approvalId").GetString()!;

        var shown = await CliRun.RunAsync(owner, "approvals", "show", request[..12], "-o", "json");
        Assert.Equal(request, JsonElement.Parse(shown.Out).GetProperty("approvalId").GetString());
        var digest = JsonElement.Parse(shown.Out).GetProperty("digest").GetString()!;
        var other = await CliRun.RunAsync(
            await broker.PersonAsync("admin"),
            ["approvals", "approve", request[..12], "--digest", digest]
        );
        Assert.Equal(3, other.ExitCode);
        Assert.DoesNotContain(request, other.Error, StringComparison.Ordinal);

        var agreed = await CliRun.RunAsync(owner, "approvals", "approve", request[..12], "--digest", digest);
        Assert.True(agreed.ExitCode == 0, agreed.Error);
    }

    [Theory]
    [InlineData("v1/leases?idPrefix=")]
    [InlineData("v1/leases?idPrefix=0199D3B0")]
    [InlineData("v1/leases?idPrefix=0199%25")]
    [InlineData("v1/revocations?idPrefix=")]
    [InlineData("v1/revocations?idPrefix=x")]
    [InlineData("v1/revocations?idPrefix=0199d3b0&before=5")]
    public async Task The_broker_refuses_what_begins_no_id(string path)
    {
        var admin = await broker.PersonAsync("admin");
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            new Uri($"{admin["CREDBROKER_SERVER"].TrimEnd('/')}/{path}")
        );
        request.Headers.Authorization = new("Bearer", await File.ReadAllTextAsync(admin["CREDBROKER_TOKEN_FILE"]));

        using var reply = await http.SendAsync(request);

        Assert.Equal(System.Net.HttpStatusCode.BadRequest, reply.StatusCode);
    }

    private async Task<string> LeaseAsync(string instance)
    {
        var run = await CliRun.RunAsync(
            await broker.AgentAsync(instance),
            ["exchange", "billing-api-key", .. Task(instance), "-o", "json"]
        );
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonSerializer.Deserialize(run.Out, BrokerJson.Default.ExchangeResponse)!.LeaseId;
    }

    private static string[] Task(string id, string action = "read") =>
        ["--process", "invoice-triage", "--task", id, "--purpose", "find duplicates", "--action", action];
}
