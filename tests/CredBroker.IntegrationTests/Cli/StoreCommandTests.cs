using CredBroker.Client;

namespace CredBroker.IntegrationTests.Cli;

public sealed class StoreCommandTests
{
    [Theory]
    [InlineData(true, 5, "paused")]
    [InlineData(false, 0, "not kept by the clock")]
    public async Task Both_clocks_are_shown_and_whether_they_pause_issuing(bool keeps, int exitCode, string text)
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("GET /v1/store/clock", Clock(keeps), BrokerJson.Default.StoreClockResponse);

        var run = await cli.RunAsync("store", "clock");

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains("2099-01-01T00:00:00Z", run.Out, StringComparison.Ordinal);
        Assert.Contains(text, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repair_takes_a_reason()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("POST /v1/store/clock/repair", Clock(keeps: false), BrokerJson.Default.StoreClockResponse);

        Assert.Equal(2, (await cli.RunAsync("store", "clock", "--repair")).ExitCode);
        Assert.Equal(2, (await cli.RunAsync("store", "clock", "--reason", "alone")).ExitCode);
        Assert.Empty(cli.Broker.Calls);
        Assert.Equal(0, (await cli.RunAsync("store", "clock", "--repair", "--reason", "ntp was wrong")).ExitCode);
        Assert.Equal("""{"reason":"ntp was wrong"}""", Assert.Single(cli.Broker.Calls).Body);
    }

    [Theory]
    [InlineData(true, 5, "--epoch 2 --reason TEXT")]
    [InlineData(false, 0, "not kept by this")]
    public async Task How_the_store_stands_to_its_anchor_is_shown_with_what_it_does_not_know(
        bool keeps,
        int exitCode,
        string text
    )
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("GET /v1/store/anchor", Anchor(keeps), BrokerJson.Default.StoreAnchorResponse);

        var run = await cli.RunAsync("store", "accept");

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(text, run.Out, StringComparison.Ordinal);
        Assert.Equal(keeps, run.Out.Contains("database/creds/cb-prod-billing/1", StringComparison.Ordinal));
        Assert.Equal(keeps, run.Error.Contains("credbroker vault check --orphans", StringComparison.Ordinal));
    }

    [Fact]
    public async Task To_accept_a_store_takes_its_epoch_and_a_reason()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("POST /v1/store/anchor/accept", Anchor(keeps: false), BrokerJson.Default.StoreAnchorResponse);

        Assert.Equal(2, (await cli.RunAsync("store", "accept", "--epoch", "2")).ExitCode);
        Assert.Equal(2, (await cli.RunAsync("store", "accept", "--reason", "alone")).ExitCode);
        Assert.Empty(cli.Broker.Calls);
        Assert.Equal(0, (await cli.RunAsync("store", "accept", "--epoch", "2", "--reason", "the backup")).ExitCode);
        Assert.Equal("""{"epoch":2,"reason":"the backup"}""", Assert.Single(cli.Broker.Calls).Body);
    }

    private static StoreAnchorResponse Anchor(bool keeps) =>
        new()
        {
            Epoch = 1,
            AnchorEpoch = 1,
            Missing = keeps ? ["stream:7:hash"] : [],
            AcceptAs = keeps ? 2 : null,
            KeepsFromIssuing = keeps,
            Unknown = keeps
                ?
                [
                    new()
                    {
                        Credential = "billing",
                        Count = 1,
                        VaultLeases = ["database/creds/cb-prod-billing/1"],
                    },
                ]
                : null,
        };

    private static StoreClockResponse Clock(bool keeps) =>
        new()
        {
            StoreTime = CliFixture.Later,
            BrokerTime = CliFixture.Later,
            KeepsFromIssuing = keeps,
        };
}
