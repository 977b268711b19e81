using CredBroker.Client;
using CredBroker.IntegrationTests.Cli;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.IntegrationTests.Client;

/// <summary>
/// The package's readme, run: each of its snippets stands here word for word, and does what it says against the real
/// broker in dev mode.
/// </summary>
public sealed class ReadmeTests(DevBroker dev) : IClassFixture<DevBroker>
{
    private static readonly string Root = FindRoot(AppContext.BaseDirectory);

    [Fact]
    public async Task Every_snippet_of_the_readme_stands_in_this_file()
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(Root, "src", "CredBroker.Client", "README.md"));
        var here = Unindented(
            await File.ReadAllTextAsync(
                Path.Combine(Root, "tests", "CredBroker.IntegrationTests", "Client", "ReadmeTests.cs")
            )
        );

        var snippets = readme.Split("```csharp\n").Skip(1).Select(rest => rest.Split("```")[0]).ToList();

        Assert.Equal(3, snippets.Count);
        Assert.All(snippets, snippet => Assert.Contains(Unindented(snippet), here, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lease_is_acquired_used_and_given_back()
    {
        var environment = await dev.AgentAsync("readme-1");
        var (address, tokenFile) = (environment["CREDBROKER_SERVER"], environment["CREDBROKER_TOKEN_FILE"]);
        var used = "";
        void Use(string key, CancellationToken cancellationToken) => used = cancellationToken.CanBeCanceled ? key : "";

        using var connection = new BrokerConnection(new Uri(address), TokenSource.File(tokenFile));
        var agent = new AgentClient(connection);

        await using var lease = await agent.AcquireAsync(
            new()
            {
                Task = new()
                {
                    Id = "run-17",
                    Process = "invoice-triage",
                    Purpose = "find duplicates",
                },
                Credential = "billing-api-key",
                Actions = ["read"],
            }
        );

        var secret = lease.GetSecret<KeyValueSecret>();
        Use(secret.Data.GetProperty("key").GetString()!, lease.Ending);

        Assert.NotEqual("", used);
    }

    [Fact]
    public async Task The_clients_come_from_dependency_injection()
    {
        var environment = await dev.AgentAsync("readme-2");
        var (address, tokenFile) = (environment["CREDBROKER_SERVER"], environment["CREDBROKER_TOKEN_FILE"]);
        var services = new ServiceCollection();

        services.AddCredBrokerClient(options =>
        {
            options.Address = new Uri(address);
            options.TokenSource = TokenSource.File(tokenFile);
        });

        await using var provider = services.BuildServiceProvider();
        Assert.Equal("ok", (await provider.GetRequiredService<BrokerConnection>().GetHealthAsync("live")).Status);
        Assert.NotNull(provider.GetRequiredService<AgentClient>());
    }

    [Fact]
    public async Task A_handler_adds_the_key_to_the_calls_of_one_origin()
    {
        await using var api = await StubBroker.StartAsync();
        var key = "";
        api.On(
            "GET /invoices",
            context =>
            {
                key = context.Request.Headers["X-Api-Key"].ToString();
                return Task.CompletedTask;
            }
        );
        await using var broker = await StubBroker.StartAsync();
        CliFixture.Issue(broker, new KeyValueSecret { Data = System.Text.Json.JsonElement.Parse("""{"key":"k-1"}""") });
        using var connection = new BrokerConnection(broker.Address, TokenSource.From(_ => new("a.b.c")));
        await using var lease = await new AgentClient(connection).AcquireAsync(
            new()
            {
                Task = CliFixture.Lease().Task,
                Credential = "billing-api-key",
                Actions = ["read"],
            }
        );
        var billing = api.Address;

        using var http = new HttpClient(
            new CredentialHandler(
                billing,
                _ => new(lease.GetSecret<KeyValueSecret>().Data.GetProperty("key").GetString()!)
            )
            {
                Header = "X-Api-Key",
                Scheme = "",
                InnerHandler = new SocketsHttpHandler { AllowAutoRedirect = false },
            }
        );
        await http.GetAsync(new Uri(billing, "invoices"), lease.Ending);

        Assert.Equal("k-1", key);
    }

    private static string Unindented(string text) =>
        string.Join('\n', text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0));

    private static string FindRoot(string folder) =>
        File.Exists(Path.Combine(folder, "CredBroker.sln")) ? folder : FindRoot(Path.GetDirectoryName(folder)!);
}
