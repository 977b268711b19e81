using System.Net;
using System.Text.Json;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>An owner who leaves and comes back, from the command line, on a real broker.</summary>
public sealed class OwnersCommandTests
{
    private static readonly string[] Owner = ["https://people.test", "owner-1"];

    [Fact]
    public async Task An_owner_is_retired_listed_and_reinstated()
    {
        await using var broker = await TestBroker.StartAsync();
        using (var issued = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange()))
        {
            await issued.ReadAsync(HttpStatusCode.Created);
        }

        var without = await RunAsync(broker, ["owners", "retire", .. Owner]);
        Assert.Equal(2, without.ExitCode);
        Assert.Contains("--reason", without.Error, StringComparison.Ordinal);
        Assert.Contains("Nobody is gone.", (await RunAsync(broker, "owners", "list")).Error, StringComparison.Ordinal);

        var retired = await RunAsync(broker, ["owners", "retire", .. Owner, "--reason", "left", "-o", "table"]);
        Assert.True(retired.ExitCode == 0, retired.Error);
        Assert.Contains("invoice-triage", retired.Out, StringComparison.Ordinal);

        var list = await RunAsync(broker, "owners", "list", "-o", "json");
        var gone = JsonElement.Parse(list.Out).GetProperty("owners")[0];
        Assert.Equal("left", gone.GetProperty("reason").GetString());
        Assert.Equal("owner-1", gone.GetProperty("subject").GetString());

        var back = await RunAsync(broker, ["owners", "reinstate", .. Owner, "--reason", "a mistake", "-o", "table"]);
        Assert.True(back.ExitCode == 0, back.Error);
        Assert.Contains("Back: invoice-triage", back.Error, StringComparison.Ordinal);

        var again = await RunAsync(broker, ["owners", "reinstate", .. Owner, "--reason", "a mistake"]);
        Assert.Contains("CB7026", again.Error, StringComparison.Ordinal);
    }

    private static async Task<CliRun> RunAsync(TestBroker broker, params string[] args)
    {
        var token = Path.Combine(broker.Folder, "admin-token");
        await File.WriteAllTextAsync(token, broker.Person("admin"));
        return await CliRun.RunAsync(
            new Dictionary<string, string>
            {
                ["CREDBROKER_SERVER"] = broker.Addresses[0].ToString(),
                ["CREDBROKER_TOKEN_FILE"] = token,
            },
            args
        );
    }
}
