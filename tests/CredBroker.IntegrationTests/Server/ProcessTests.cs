using System.Net;
using System.Text.Json;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

/// <summary>The server as a process: what it says at its start and at its end.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task Faults_of_the_settings_end_it_with_2_and_are_all_named()
    {
        var (code, output) = await BrokerProcess.RunAsync(
            [],
            new Dictionary<string, string?>
            {
                ["Vault:Adress"] = "https://vault",
                ["Listen:Agents:Url"] = "http://0.0.0.0:80",
            }
        );
        Assert.Equal(2, code);
        foreach (
            var expected in new[]
            {
                "did you mean Address?",
                "in clear",
                "Vault:Installation",
                "Policy:File is missing",
            }
        )
        {
            Assert.Contains(expected, output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Vault:Address", "https://vault.example")]
    [InlineData("Listen:Agents:Url", "https://*:8443")]
    [InlineData("Identity:Issuers:0:Issuer", "https://idp.example")]
    [InlineData("Storage:SqliteFile", "/var/lib/credbroker/credbroker.db")]
    public async Task Dev_mode_refuses_to_start_beside_real_settings(string setting, string value)
    {
        var (code, output) = await BrokerProcess.RunAsync(
            ["--dev"],
            new Dictionary<string, string?> { [setting] = value }
        );
        Assert.Equal(2, code);
        Assert.Contains(
            $"{setting[..setting.IndexOf(':', StringComparison.Ordinal)]} is configured",
            output,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("--settings", "/no/such/file.json")]
    [InlineData("--Vault:TokenFile=x")]
    public async Task A_command_line_that_is_not_understood_ends_it_with_2(params string[] arguments) =>
        Assert.Equal(2, (await BrokerProcess.RunAsync(arguments)).ExitCode);

    [Fact]
    public async Task A_settings_file_that_is_no_json_is_named()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("broken.json");
        await File.WriteAllTextAsync(file, "{ \"Listen\": ");
        var (code, output) = await BrokerProcess.RunAsync(["--settings", file]);
        Assert.Equal(2, code);
        Assert.Contains(file, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_checks_good_settings_serves_and_ends_in_order()
    {
        await using var parts = await TestBroker.StartAsync();
        await parts.StopAsync();
        var settings = parts.Settings();
        settings["Log:Level"] = "Information";
        settings["Log:Format"] = "Json";

        var (code, output) = await BrokerProcess.RunAsync(["--check"], settings);
        Assert.True(code == 0, output);

        await using var broker = await BrokerProcess.StartAsync(settings);
        using var live = await broker.Http.GetAsync(new Uri("/health/live", UriKind.Relative));
        await live.ReadAsync(HttpStatusCode.OK);
        using var issuing = await broker.Http.GetAsync(new Uri("/health/issuing", UriKind.Relative));
        await issuing.ReadAsync(HttpStatusCode.ServiceUnavailable);
        Assert.All(broker.Output.Trim().Split('\n'), line => JsonElement.Parse(line));

        var (second, refusal) = await BrokerProcess.RunAsync([], settings);
        Assert.Equal(1, second);
        Assert.Contains("The broker cannot start", refusal, StringComparison.Ordinal);

        Assert.Equal(0, await broker.StopAsync());
        await parts.RestartAsync();
        using var export = await parts.SendAsync(HttpMethod.Get, "/v1/audit/export", parts.Person("auditor"));
        var log = await export.Content.ReadAsStringAsync();
        Assert.Equal(2, log.Split("\"stream.closed\"").Length - 1);
    }

    [Fact]
    public async Task Check_opens_every_file_and_says_of_each_what_is_wrong_with_it()
    {
        await using var parts = await TestBroker.StartAsync();
        using var folder = new TemporaryFolder();
        var settings = parts.Settings();
        var missing = Path.Combine(folder.Path, "missing");
        var (twoLines, empty, policy) = (folder.File("a"), folder.File("b"), folder.File("c"));
        await File.WriteAllTextAsync(twoLines, "two\nlines");
        await File.WriteAllTextAsync(empty, "{}");
        await File.WriteAllTextAsync(policy, "apiVersion: credbroker/v2");

        foreach (
            var (setting, path, expected) in new[]
            {
                ("Vault:TokenFile", missing, $"Vault:TokenFile: {missing} does not exist."),
                ("Vault:TokenFile", twoLines, $"{twoLines} does not hold one line of text"),
                ("Policy:File", policy, $"{policy}: line 1, column 13: "),
                ("Storage:SqliteFile", Path.Combine(empty, "store.db"), "Storage:SqliteFile: "),
                ("Identity:Issuers:0:Jwks:File", empty, $"Identity:Issuers:0:Jwks:File is \"{empty}\": the JWKS"),
                ("Identity:Issuers:1:Jwks:File", missing, "Identity:Issuers:1:Jwks:File is"),
            }
        )
        {
            var (code, output) = await BrokerProcess.RunAsync(
                ["--check"],
                new Dictionary<string, string?>(settings) { [setting] = path }
            );
            Assert.True(code == 2, output);
            Assert.True(output.Contains(expected, StringComparison.Ordinal), $"{expected}\n{output}");
        }

        // Beside the running broker it changes nothing, and what its policy's author can hardly mean is said.
        var (good, said) = await BrokerProcess.RunAsync(["--check"], settings);
        Assert.True(good == 0, said);
        Assert.Contains("every file that they name can be used", said, StringComparison.Ordinal);
        using var issued = await parts.SendAsync(HttpMethod.Post, "/v1/credentials", parts.Agent(), Api.Exchange());
        await issued.ReadAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_killed_server_starts_again_on_what_it_left()
    {
        await using var parts = await TestBroker.StartAsync();
        using var issued = await parts.SendAsync(HttpMethod.Post, "/v1/credentials", parts.Agent(), Api.Exchange());
        var leaseId = (await issued.ReadAsync(HttpStatusCode.Created)).GetProperty("leaseId").GetString();
        await parts.StopAsync();
        var settings = parts.Settings();
        settings["Log:Level"] = "Information";

        await using (var broker = await BrokerProcess.StartAsync(settings))
        {
            await broker.KillAsync();
        }

        await using var again = await BrokerProcess.StartAsync(settings);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/credentials/{leaseId}")
        {
            Headers = { Authorization = new("Bearer", parts.Agent()) },
        };
        using var found = await again.Http.SendAsync(request);
        Assert.Equal("active", (await found.ReadAsync(HttpStatusCode.OK)).GetProperty("state").GetString());
    }
}
