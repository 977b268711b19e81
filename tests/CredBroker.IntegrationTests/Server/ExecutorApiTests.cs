using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.IntegrationTests.Cli;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

/// <summary>
/// What is left to an executor: it finds it by itself, with what the approvers saw, and the one that prepared it hears
/// what came of it, and never the secret.
/// </summary>
public sealed class ExecutorApiTests : IAsyncLifetime
{
    private const string Shown =
        """{ approvers: ["group:leads"], expiresAfter: 30m, executor: helper, show: [{ label: Amount, path: toolCall.arguments.amount }] }""";
    private TestBroker _broker = null!;
    private ApprovalDesk _desk = null!;

    public async ValueTask InitializeAsync()
    {
        // The rule is given to one tool, as it has to be where an argument is shown.
        _broker = await TestBroker.StartAsync(ApprovalDesk.Settings(), ApprovalDesk.Policy(Shown));
        _desk = new(_broker);
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task An_executor_finds_what_is_left_to_it_and_redeems_it_by_the_body_that_it_is_given()
    {
        var body = ApprovalDesk.With("resource", "\"invoice 7\"");
        body["ttl"] = "5m";
        var pending = await _desk.AskAsync(body: ApprovalDesk.With("resource", "\"not approved\""));
        var id = await _desk.ApprovedAsync(body: body);

        var listed = Assert.Single(await ListAsync(_broker.Workload("helper")));
        var (facts, given) = (listed.GetProperty("approval"), listed.GetProperty("body"));
        Assert.NotEqual(pending.Id, id);
        Assert.Equal(
            (id, "approved", "triage-i-1", "helper", "pay invoice 7", "5m", "10"),
            (
                facts.GetProperty("approvalId").GetString(),
                facts.GetProperty("state").GetString(),
                facts.GetProperty("requester").GetProperty("subject").GetString(),
                facts.GetProperty("executor").GetString(),
                facts.GetProperty("statements").GetProperty("purpose").GetString(),
                facts.GetProperty("ttl").GetString(),
                facts.GetProperty("statements").GetProperty("arguments")[0].GetProperty("text").GetString()
            )
        );
        Assert.Equal("ann", facts.GetProperty("agreements")[0].GetProperty("subject").GetString());
        // What the approver saw of it, word for word, but for what the agent did besides.
        var seen = JsonNode.Parse((await _desk.FindAsync(id)).GetRawText())!.AsObject();
        Assert.True(seen.Remove("activity"));
        Assert.True(JsonNode.DeepEquals(seen, JsonNode.Parse(facts.GetRawText())));

        using var redeemed = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Workload("helper"),
            Api.Json(given.GetRawText())
        );
        await redeemed.ReadAsync(HttpStatusCode.Created);
        Assert.Empty(await ListAsync(_broker.Workload("helper")));
    }

    [Fact]
    public async Task For_anyone_else_there_is_nothing()
    {
        await _desk.ApprovedAsync();

        Assert.Empty(await ListAsync(_broker.Agent()));
        Assert.Empty(await ListAsync(_broker.Workload("stranger")));
        Assert.Empty(await ListAsync(_broker.Workload("unknown")));
        Assert.Single(await ListAsync(_broker.Workload("helper", "i-9")));
        using var person = await _broker.SendAsync(HttpMethod.Get, "/v1/requests", _desk.Lead());
        Assert.Equal(HttpStatusCode.Unauthorized, person.StatusCode);
    }

    [Fact]
    public async Task It_is_listed_a_page_at_a_time()
    {
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await _desk.ApprovedAsync(body: ApprovalDesk.With("resource", $"\"invoice {i}\"")));
        }

        var (seen, pages, next) = (new List<string>(), 0, (string?)null);
        do
        {
            using var response = await _broker.SendAsync(
                HttpMethod.Get,
                $"/v1/requests?limit=2{(next is null ? "" : $"&cursor={next}")}",
                _broker.Workload("helper")
            );
            var page = await response.ReadAsync(HttpStatusCode.OK);
            seen.AddRange(Ids(page.GetProperty("requests")));
            next = page.TryGetProperty("next", out var more) ? more.GetString() : null;
            pages++;
            if (pages == 1)
            {
                // One that is redeemed meanwhile is no reason to lose the place.
                await _desk.RedeemsAsync(
                    next!,
                    _broker.Workload("helper"),
                    ApprovalDesk.With("resource", $"\"invoice {ids.IndexOf(next!)}\"")
                );
            }
        } while (next is not null);

        Assert.Equal(3, pages);
        Assert.Equal(ids.Order(), seen.Order());
        foreach (
            var (query, code) in new[]
            {
                ("limit=0", "CB6003"),
                ("limit=51", "CB6003"),
                ("cursor=x", "CB7005"),
                ("cursor=0123456789abcdef0123456789abcdef", "CB7005"),
            }
        )
        {
            using var refused = await _broker.SendAsync(
                HttpMethod.Get,
                $"/v1/requests?{query}",
                _broker.Workload("helper")
            );
            await refused.ReadProblemAsync(code);
        }
    }

    [Fact]
    public async Task The_one_that_prepared_it_hears_the_outcome_and_never_the_secret()
    {
        var id = await _desk.ApprovedAsync();
        Assert.False((await StatusAsync(id)).TryGetProperty("outcome", out _));
        using var redeemed = await _desk.ExchangeAsync(_broker.Workload("helper"), id);
        var lease = (await redeemed.ReadAsync(HttpStatusCode.Created)).GetProperty("leaseId").GetString()!;

        // Not the preparer's to report, nor to see.
        using (var notMine = await ReportAsync(_broker.Agent(), lease, """{"status":"succeeded"}"""))
        {
            Assert.Equal(HttpStatusCode.NotFound, notMine.StatusCode);
        }

        using (var tooLong = await ReportAsync(_broker.Workload("helper"), lease, Report(new('x', 2001))))
        {
            await tooLong.ReadProblemAsync("CB6003");
        }

        using (var said = await ReportAsync(_broker.Workload("helper"), lease, Report("paid")))
        {
            Assert.Equal(HttpStatusCode.NoContent, said.StatusCode);
        }

        var status = await StatusAsync(id);
        Assert.Equal("redeemed", status.GetProperty("status").GetString());
        var outcome = status.GetProperty("outcome");
        Assert.Equal(
            ("succeeded", "paid", true),
            (
                outcome.GetProperty("status").GetString(),
                outcome.GetProperty("summary").GetString(),
                outcome.GetProperty("asApproved").GetBoolean()
            )
        );
        Assert.DoesNotContain(_broker.Vault.Marker, status.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain(lease, status.GetRawText(), StringComparison.Ordinal);

        using (
            var other = await ReportAsync(
                _broker.Workload("helper"),
                lease,
                """{"status":"failed","toolCall":{"name":"pay","arguments":{"amount":11}}}"""
            )
        )
        {
            Assert.Equal(HttpStatusCode.NoContent, other.StatusCode);
        }

        outcome = (await StatusAsync(id)).GetProperty("outcome");
        Assert.Equal(
            ("failed", false),
            (outcome.GetProperty("status").GetString(), outcome.GetProperty("asApproved").GetBoolean())
        );

        static string Report(string summary) =>
            new JsonObject
            {
                ["status"] = "succeeded",
                ["summary"] = summary,
                ["toolCall"] = JsonNode.Parse(ApprovalDesk.ToolCall),
            }.ToJsonString();
    }

    [Fact]
    public async Task The_command_line_lists_redeems_and_reports_and_the_audit_joins_all_three()
    {
        var id = await _desk.ApprovedAsync();
        var executor = await EnvironmentAsync(_broker.Workload("helper"));

        var listed = await CliRun.RunAsync(executor, "requests", "list");
        Assert.True(listed.ExitCode == 0, listed.Error);
        Assert.Contains(id, listed.Out, StringComparison.Ordinal);
        var nothing = await CliRun.RunAsync(
            await EnvironmentAsync(_broker.Agent()),
            "requests",
            "list",
            "--output",
            "json"
        );
        Assert.Equal("""{"requests":[]}""", nothing.Out.Trim());
        var notLeft = await CliRun.RunAsync(await EnvironmentAsync(_broker.Agent()), "requests", "redeem", id);
        Assert.Equal(2, notLeft.ExitCode);

        var redeemed = await CliRun.RunAsync(executor, "requests", "redeem", id, "--output", "json");
        Assert.True(redeemed.ExitCode == 0, redeemed.Error);
        var lease = JsonElement.Parse(redeemed.Out).GetProperty("leaseId").GetString()!;
        var reported = await CliRun.RunAsync(
            executor,
            "outcome",
            lease,
            "--status",
            "succeeded",
            "--summary",
            "paid",
            "--tool",
            "pay",
            "--tool-arguments",
            """{"amount":10,"to":"DE1"}"""
        );
        Assert.True(reported.ExitCode == 0, reported.Error);
        Assert.True((await StatusAsync(id)).GetProperty("outcome").GetProperty("asApproved").GetBoolean());

        // Another's, which is not shown.
        await _desk.ApprovedAsync(body: ApprovalDesk.With("resource", "\"another\""));
        var shown = await CliRun.RunAsync(
            await EnvironmentAsync(_broker.Person("auditor")),
            "audit",
            "show",
            "--approval",
            id,
            "--output",
            "json"
        );
        Assert.True(shown.ExitCode == 0, shown.Error);
        var told = JsonElement
            .Parse(shown.Out)
            .EnumerateArray()
            .Select(record =>
                (record.GetProperty("type").GetString(), record.GetProperty("actor").GetProperty("subject").GetString())
            )
            .ToList();
        Assert.Equal(
            [
                ("approval.agreed", "ann"),
                ("approval.redeemed", "helper-i-1"),
                ("approval.requested", "triage-i-1"),
                ("lease.issued", "helper-i-1"),
                ("lease.outcome", "helper-i-1"),
                ("request.allowed", "helper-i-1"),
            ],
            told.Order()
        );
    }

    private async Task<IReadOnlyList<JsonElement>> ListAsync(string token)
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/v1/requests", token);
        return [.. (await response.ReadAsync(HttpStatusCode.OK)).GetProperty("requests").EnumerateArray()];
    }

    private static IEnumerable<string> Ids(JsonElement requests) =>
        requests
            .EnumerateArray()
            .Select(request => request.GetProperty("approval").GetProperty("approvalId").GetString()!);

    private async Task<JsonElement> StatusAsync(string id)
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, $"/v1/requests/{id}", _broker.Agent());
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private Task<HttpResponseMessage> ReportAsync(string token, string lease, string report) =>
        _broker.SendAsync(HttpMethod.Post, $"/v1/credentials/{lease}/outcome", token, Api.Json(report));

    private async Task<Dictionary<string, string>> EnvironmentAsync(string token)
    {
        var file = Path.Combine(_broker.Folder, $"token-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(file, token);
        return new() { ["CREDBROKER_SERVER"] = _broker.Addresses[0].ToString(), ["CREDBROKER_TOKEN_FILE"] = file };
    }
}
