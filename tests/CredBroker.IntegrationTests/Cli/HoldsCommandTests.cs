using CredBroker.Client;

namespace CredBroker.IntegrationTests.Cli;

public sealed class HoldsCommandTests
{
    [Fact]
    public async Task A_quarantine_holds_and_revokes_in_one_call_and_is_watched_until_it_is_complete()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
            "POST /v1/revocations",
            new("r-1") { HoldId = "h-1" },
            BrokerJson.Default.RevocationAcceptedResponse,
            202
        );
        cli.Broker.On("GET /v1/revocations/r-1", Over, BrokerJson.Default.RevocationResponse);

        var run = await cli.RunAsync("quarantine", "--agent", "triage", "--for", "2h", "--reason", "incident 42");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(
            """{"agent":"triage","reason":"incident 42","hold":"2h"}""",
            Assert.Single(cli.Broker.Calls, call => call.Call == "POST /v1/revocations").Body
        );
        Assert.Contains("Held by h-1 and ordered: r-1.", run.Error, StringComparison.Ordinal);
        Assert.Contains("credbroker holds lift h-1 --reason TEXT", run.Error, StringComparison.Ordinal);
        Assert.Contains("1 lease over: 1 revoked.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_quarantine_without_a_time_lasts_until_it_is_lifted()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.OnProblem("POST /v1/revocations", "CB7006", "There is no owner `x`.");

        var run = await cli.RunAsync("quarantine", "--owner", "x", "--reason", "r");

        Assert.Equal(5, run.ExitCode);
        Assert.Equal("""{"owner":"x","reason":"r","hold":"until-lifted"}""", Assert.Single(cli.Broker.Calls).Body);
    }

    [Fact]
    public async Task A_hold_is_placed_listed_and_lifted()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("POST /v1/holds", CliFixture.Hold, BrokerJson.Default.HoldResponse, 201)
            .On("GET /v1/holds", new() { Holds = [CliFixture.Hold] }, BrokerJson.Default.HoldListResponse)
            .On("POST /v1/holds/h-1/lift", CliFixture.Hold, BrokerJson.Default.HoldResponse);

        var added = await cli.RunAsync("holds", "add", "--agent", "triage", "--allow-none", "--reason", "r");
        var listed = await cli.RunAsync("holds", "list");
        var lifted = await cli.RunAsync("holds", "lift", "h-1", "--reason", "it was a drill");

        Assert.All(new[] { added, listed, lifted }, run => Assert.Equal(0, run.ExitCode));
        Assert.Contains("What was issued before stays", added.Error, StringComparison.Ordinal);
        Assert.Matches("h-1 +agent triage +when lifted +person:https://idp#ada +incident 42", listed.Out);
        Assert.Contains("issued again", lifted.Error, StringComparison.Ordinal);
        Assert.Equal(
            ["""{"agent":"triage","reason":"r","allowNone":true}""", "", """{"reason":"it was a drill"}"""],
            cli.Broker.Calls.Select(call => call.Body)
        );
    }

    [Fact]
    public async Task A_hold_without_its_record_is_not_called_done()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
            "POST /v1/holds",
            CliFixture.Hold with
            {
                RecordMissing = true,
            },
            BrokerJson.Default.HoldResponse,
            201
        );

        var run = await cli.RunAsync("holds", "add", "--agent", "triage", "--reason", "r");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("in force without its record", run.Error, StringComparison.Ordinal);
        Assert.Contains("h-1", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_list_of_holds_says_so()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("GET /v1/holds", new() { Holds = [] }, BrokerJson.Default.HoldListResponse);

        var run = await cli.RunAsync("holds", "list");

        Assert.Equal((0, "", "Nothing is held.\n"), (run.ExitCode, run.Out, run.Error));
    }

    [Theory]
    [InlineData("Nothing is selected", "quarantine")]
    [InlineData("Nothing is selected", "holds", "add")]
    [InlineData("stop all issuing", "quarantine", "--everything")]
    [InlineData("stop all issuing", "holds", "add", "--everything")]
    [InlineData("contradict", "quarantine", "--everything", "--confirm", "--agent", "x")]
    [InlineData("There is no reason", "quarantine", "--agent", "x")]
    [InlineData("There is no reason", "holds", "add", "--agent", "x", "--reason", "")]
    [InlineData("is no duration", "holds", "add", "--agent", "x", "--for", "soon")]
    [InlineData("--reason", "holds", "lift", "h-1")]
    public async Task A_wrong_command_line_is_a_usage_fault_and_asks_nothing(string text, params string[] args)
    {
        await using var cli = await CliFixture.StartAsync();

        var run = await cli.RunAsync(args);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(text, run.Error, StringComparison.Ordinal);
        Assert.Empty(cli.Broker.Calls);
    }

    private static RevocationResponse Over { get; } =
        new()
        {
            RevocationId = "r-1",
            Complete = true,
            Counts = new Dictionary<string, int> { [LeaseStates.Revoked] = 1 },
            Leases = [CliFixture.Lease(LeaseStates.Revoked)],
            StillValid = [],
        };
}
