using System.Text.Json;
using CredBroker.Cli;
using CredBroker.Client;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>What approvers see of requests on the command line.</summary>
public sealed class ApprovalsCommandTests : IAsyncLifetime
{
    private CliFixture _cli = null!;

    public async ValueTask InitializeAsync() => _cli = await CliFixture.StartAsync();

    public ValueTask DisposeAsync() => _cli.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Watching_goes_on_where_the_stream_broke_off_and_ends_with_a_no(bool asJson)
    {
        var asked = new List<string?>();
        _cli.Broker.On(
            "GET /v1/approvals/events",
            async http =>
            {
                asked.Add(http.Request.Headers["Last-Event-ID"].FirstOrDefault());
                if (asked.Count > 1)
                {
                    http.Response.StatusCode = 403;
                    await http.Response.WriteAsJsonAsync(
                        new ProblemResponse
                        {
                            Title = "Role missing",
                            Status = 403,
                            Code = "CB7001",
                            Detail = "not any more",
                        },
                        BrokerJson.Default.ProblemResponse,
                        "application/problem+json"
                    );
                    return;
                }

                http.Response.ContentType = "text/event-stream";
                await http.Response.WriteAsync("event: heartbeat\ndata: {}\n\n");
                foreach (var (number, state) in new[] { (7, "pending"), (9, "approved") })
                {
                    var data = JsonSerializer.Serialize(Approval(state), BrokerJson.Default.ApprovalResponse);
                    await http.Response.WriteAsync($"event: approval\nid: {number}\ndata: {data}\n\n");
                }
            }
        );

        var run = await _cli.RunAsync([
            "approvals",
            "watch",
            .. asJson ? new[] { "--output", "json" } : ["--output", "table"],
        ]);

        Assert.Equal(ExitCodes.Refused, run.ExitCode);
        Assert.Equal([null, "9"], asked);
        var lines = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        if (asJson)
        {
            Assert.Equal(
                ["pending", "approved"],
                lines.Select(line => JsonElement.Parse(line).GetProperty("state").GetString())
            );
        }
        else
        {
            Assert.StartsWith(
                "pending   3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f  triage  billing  invoice",
                lines[0],
                StringComparison.Ordinal
            );
            Assert.StartsWith("approved  3f3f", lines[1], StringComparison.Ordinal);
        }
    }

    private static ApprovalResponse Approval(string state) =>
        new()
        {
            ApprovalId = "3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f",
            State = state,
            Digest = "d",
            AskedAt = DateTimeOffset.UnixEpoch,
            ExpiresAt = DateTimeOffset.UnixEpoch,
            Requester = new()
            {
                Proof = "oidc",
                Issuer = "https://idp.example",
                Subject = "triage-1",
                Workload = "triage",
                Instance = "i-1",
                Agent = "triage",
            },
            Process = "invoice",
            Task = "t-1",
            Credential = "billing",
            Access = "read",
            Impact = "low",
            Reversible = true,
            Revocation = "backend",
            Actions = ["read"],
            Ttl = TimeSpan.FromMinutes(10),
            Rules = [],
            Gate = [],
            Demands = [],
            Agreements = [],
            Statements = new() { Purpose = "pay", Arguments = [] },
        };
}
