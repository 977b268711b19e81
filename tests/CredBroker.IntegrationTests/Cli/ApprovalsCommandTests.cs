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

    [Fact]
    public async Task A_request_is_shown_with_what_its_agent_did_lately()
    {
        _cli.Broker.On(
            $"GET /v1/approvals/{Approval("pending").ApprovalId}",
            Approval("pending") with
            {
                Activity = new()
                {
                    Since = DateTimeOffset.UnixEpoch,
                    Credentials =
                    [
                        new()
                        {
                            Credential = "billing",
                            Issued = 1,
                            Denied = 2,
                            Challenged = 3,
                        },
                        new()
                        {
                            Issued = 0,
                            Denied = 4,
                            Challenged = 0,
                        },
                    ],
                },
            },
            BrokerJson.Default.ApprovalResponse
        );
        var run = await _cli.RunAsync("approvals", "show", Approval("pending").ApprovalId);
        Assert.Equal((ExitCodes.Done, ""), (run.ExitCode, run.Error));
        Assert.Contains("1 issued, 2 denied, 3 challenged", run.Out, StringComparison.Ordinal);
        Assert.Contains("0 issued, 4 denied, 0 challenged", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_lists_requests_hears_how_they_decide(bool isHurried)
    {
        _cli.Broker.On(
            "GET /v1/approvals",
            new()
            {
                Approvals = [],
                You = new()
                {
                    Waiting = 0,
                    Decisions = 7,
                    MedianSeconds = 2.25,
                    Hurried = isHurried,
                },
            },
            BrokerJson.Default.ApprovalListResponse
        );
        var run = await _cli.RunAsync("approvals", "list");
        Assert.Contains("your last 7 decisions took 2.", run.Error, StringComparison.Ordinal);
        Assert.Equal(isHurried, run.Error.Contains("on record", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_request_says_how_long_a_time_box_may_be_and_what_for()
    {
        var approval = Approval("approved") with
        {
            TimeBoxOffered = TimeSpan.FromHours(1),
            Agreements =
            [
                new("https://idp.example", "ann", DateTimeOffset.UnixEpoch) { TimeBox = TimeSpan.FromMinutes(30) },
            ],
        };
        _cli.Broker.On(
            $"POST /v1/approvals/{approval.ApprovalId}/approve",
            approval,
            BrokerJson.Default.ApprovalResponse
        );
        var run = await _cli.RunAsync(
            "approvals",
            "approve",
            approval.ApprovalId,
            "--digest",
            "d",
            "--time-box",
            "30m"
        );
        Assert.Equal((ExitCodes.Done, ""), (run.ExitCode, run.Error));
        Assert.Equal("""{"digest":"d","timeBox":"30m"}""", _cli.Broker.Calls.Last().Body);
        Assert.Contains(
            "may be given for up to 1h; then this agent may, without asking again, have billing for read",
            run.Out,
            StringComparison.Ordinal
        );
        Assert.Contains("ann of https://idp.example (time box 30m)", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Time_boxes_are_listed_and_taken_back()
    {
        var open = new TimeBoxResponse
        {
            ApprovalId = Approval("redeemed").ApprovalId,
            State = "open",
            OpenedAt = DateTimeOffset.UnixEpoch,
            EndsAt = DateTimeOffset.UnixEpoch,
            Uses = 3,
            MaxUses = 1000,
            Requester = Approval("redeemed").Requester,
            Process = "invoice",
            Task = "t-1",
            Credential = "billing",
            Actions = ["read"],
            Ttl = TimeSpan.FromMinutes(5),
            Agreements = [],
        };
        _cli.Broker.On(
            "GET /v1/approvals/boxes",
            new() { TimeBoxes = [open], Next = "7" },
            BrokerJson.Default.TimeBoxListResponse
        );
        var listed = await _cli.RunAsync("approvals", "boxes");
        Assert.Contains(open.ApprovalId, listed.Out, StringComparison.Ordinal);
        Assert.Contains("--cursor 7", listed.Error, StringComparison.Ordinal);

        _cli.Broker.On(
            $"POST /v1/approvals/{open.ApprovalId}/revoke-box",
            open with
            {
                State = "ended",
                Cause = "taken-back",
                RevocationId = "order-1",
            },
            BrokerJson.Default.TimeBoxResponse
        );
        var ended = await _cli.RunAsync("approvals", "revoke-box", open.ApprovalId, "--reason", "enough", "--leases");
        Assert.Equal((ExitCodes.Done, ""), (ended.ExitCode, ended.Error));
        Assert.Equal("""{"reason":"enough","leases":true}""", _cli.Broker.Calls.Last().Body);
        Assert.Contains("taken-back", ended.Out, StringComparison.Ordinal);
        Assert.Contains("order-1", ended.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_is_listed_shown_and_decided_by_the_digest_that_was_shown()
    {
        _cli.Broker.On(
            "GET /v1/approvals",
            new() { Approvals = [Approval("pending")], Groups = [Group()] },
            BrokerJson.Default.ApprovalListResponse
        );
        foreach (var verb in (string[])["approve", "deny"])
        {
            _cli.Broker.On(
                $"POST /v1/approvals/{verb}",
                new([Approval("approved")]),
                BrokerJson.Default.ApprovalGroupDecisionResponse
            );
        }

        var list = await _cli.RunAsync("approvals", "list", "--grouped");
        Assert.Contains("grp_1", list.Out, StringComparison.Ordinal);
        Assert.Contains("purpose", list.Out, StringComparison.Ordinal);
        Assert.Contains(Approval("pending").ApprovalId, list.Out, StringComparison.Ordinal);
        var show = await _cli.RunAsync("approvals", "show", "grp_1");
        Assert.Equal((ExitCodes.Done, ""), (show.ExitCode, show.Error));
        var lines = show
            .Out.Split('\n')
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            .ToList();
        // What is the same stands above, once.
        Assert.Contains("Task t-1", lines);
        Assert.Contains("May agree 1 of group leads; after 10m of group heads, too", lines);
        Assert.Contains("Digest the-digest", lines);
        Assert.Contains("REQUEST THE AGENT SAYS: PURPOSE AGREED ENDS", lines);
        Assert.Contains(lines, line => line.StartsWith("id-1 pay one", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("id-2 pay two", StringComparison.Ordinal));

        Assert.Equal(
            ExitCodes.Refused,
            (await _cli.RunAsync("approvals", "approve", "grp_1", "--digest", "another")).ExitCode
        );
        Assert.Equal(
            ExitCodes.Refused,
            (await _cli.RunAsync("approvals", "approve", "grp_22222222", "--digest", "the-digest")).ExitCode
        );
        Assert.Equal(ExitCodes.Usage, (await _cli.RunAsync("approvals", "deny", "grp_1", "--reason", "no")).ExitCode);
        Assert.Empty(Sent());

        const string requests =
            "\"requests\":[{\"approvalId\":\"id-1\",\"digest\":\"d-1\"},{\"approvalId\":\"id-2\",\"digest\":\"d-2\"}]";
        Assert.Equal(
            ExitCodes.Done,
            (await _cli.RunAsync("approvals", "approve", "grp_1", "--digest", "the-digest")).ExitCode
        );
        Assert.Equal(
            ExitCodes.Done,
            (await _cli.RunAsync("approvals", "deny", "grp_1", "--digest", "the-digest", "--reason", "no")).ExitCode
        );
        Assert.Equal([$"{{{requests}}}", $"{{{requests},\"reason\":\"no\"}}"], Sent());

        IEnumerable<string> Sent() =>
            _cli
                .Broker.Calls.Where(call => call.Call.StartsWith("POST", StringComparison.Ordinal))
                .Select(call => call.Body);
    }

    private static ApprovalGroupResponse Group() =>
        new()
        {
            GroupId = "grp_1",
            Digest = "the-digest",
            Process = "invoice",
            Credential = "billing",
            Access = "read",
            Impact = "low",
            Revocation = "backend",
            Rules = ["rule"],
            Gate = [],
            Demands =
            [
                new()
                {
                    Approvers = [new() { By = "group", Name = "leads" }],
                    NotBy = [],
                    Quorum = 1,
                    Escalation = new()
                    {
                        After = TimeSpan.FromMinutes(10),
                        To = [new() { By = "group", Name = "heads" }],
                    },
                    ExpiresAfter = TimeSpan.FromMinutes(30),
                },
            ],
            Differs = ["purpose"],
            Requests = [One("1", "pay one"), One("2", "pay two")],
        };

    private static GroupedApprovalResponse One(string number, string purpose) =>
        new()
        {
            ApprovalId = $"id-{number}",
            Digest = $"d-{number}",
            AskedAt = DateTimeOffset.UnixEpoch,
            ExpiresAt = DateTimeOffset.UnixEpoch,
            Requester = Approval("pending").Requester,
            Task = "t-1",
            Actions = ["read"],
            Ttl = TimeSpan.FromMinutes(10),
            Agreements = [],
            Statements = new() { Purpose = purpose, Arguments = [] },
        };

    internal static ApprovalResponse Approval(string state) =>
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
