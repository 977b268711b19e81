using System.Text.Json;
using CredBroker.Client;

namespace CredBroker.IntegrationTests.Cli;

public sealed class CatalogueCommandTests
{
    [Fact]
    public async Task What_may_be_asked_for_is_a_table_for_people_and_JSON_for_programs()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
            "GET /v1/catalogue",
            new()
            {
                PolicyVersion = 3,
                Entries =
                [
                    Offer("billing-readonly") with
                    {
                        Decision = "depends",
                        DependsOn = ["request.actions"],
                    },
                    Offer("payments-api") with
                    {
                        Decision = "challenge",
                        Asks = ["group:finance-leads"],
                        Renewable = false,
                    },
                ],
            },
            BrokerJson.Default.CatalogueResponse
        );

        var table = await cli.RunAsync("catalogue");
        Assert.Equal(0, table.ExitCode);
        Assert.Matches("billing-readonly +invoice-triage +depends +read +10m +yes +request.actions", table.Out);
        Assert.Matches("payments-api +invoice-triage +challenge +read +10m +no +group:finance-leads", table.Out);
        var json = JsonSerializer.Deserialize(
            (await cli.RunAsync("catalogue", "--output", "json")).Out,
            BrokerJson.Default.CatalogueResponse
        );
        Assert.Equal(["billing-readonly", "payments-api"], json!.Entries.Select(entry => entry.Credential));
        Assert.All(cli.Broker.Calls, call => Assert.Equal("Bearer header.claims.signature", call.Authorization));
    }

    [Fact]
    public async Task Nothing_to_ask_for_is_said()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
            "GET /v1/catalogue",
            new() { PolicyVersion = 3, Entries = [] },
            BrokerJson.Default.CatalogueResponse
        );
        var run = await cli.RunAsync("catalogue");
        Assert.Equal((0, ""), (run.ExitCode, run.Out));
        Assert.Contains("nothing", run.Error, StringComparison.Ordinal);
    }

    private static CatalogueOfferResponse Offer(string credential) =>
        new()
        {
            Credential = credential,
            Process = "invoice-triage",
            Agent = "triage",
            Decision = "allow",
            Actions = ["read"],
            MaxTtl = TimeSpan.FromMinutes(10),
            Renewable = true,
            Delivery = ["direct"],
            Engine = "database",
        };
}
