using System.Net.Http.Headers;
using CredBroker.Core.Issuing;
using CredBroker.Server.Hosting;
using CredBroker.Testing.Broker;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>
/// The real server in this process: real Kestrel on a free loopback port, a store, a policy file and issuers of its own
/// in a folder of its own. Vault is the fake unless the settings name one.
/// </summary>
internal sealed class TestBroker : IAsyncDisposable
{
    private WebApplication _app;

    private TestBroker(string folder)
    {
        Folder = folder;
        Workloads = new("https://workloads.test", "credbroker", folder);
        People = new("https://people.test", "credbroker-admin", folder);
        _app = null!;
    }

    public string Folder { get; }

    public TestIssuer Workloads { get; }

    public TestIssuer People { get; }

    public FakeSecretIssuer Vault { get; } = new();

    /// <summary>Where the store's anchor is kept beside that fake.</summary>
    public FakeAnchorPlace AnchorPlace { get; } = new();

    public string PolicyFile => Path.Combine(Folder, "policy.yaml");

    public string StoreFile => Path.Combine(Folder, "store.db");

    /// <summary>Calls without a token; dispose-free, as long as the broker lives.</summary>
    public HttpClient Http { get; private set; } = null!;

    public IServiceProvider Services => _app.Services;

    /// <summary>Where it listens: the agents' address and, where they have one of their own, the people's.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _app.Urls.Select(url => new Uri(url))];

    /// <summary>The token of one running instance of the agent <c>triage</c>.</summary>
    public string Agent(string instance = "i-1") => Workload("triage", instance);

    public string Workload(string workload, string instance = "i-1") =>
        Workloads.Token(
            $"{workload}-{instance}",
            claims => (claims["workload"], claims["instance"]) = (workload, instance)
        );

    /// <summary>A person's token with these of the broker's roles.</summary>
    public string Person(params string[] roles) => People.Token("person-1", claims => claims["roles"] = roles);

    public static async Task<TestBroker> StartAsync(
        IReadOnlyDictionary<string, string?>? settings = null,
        string policy = TestPolicy.Text,
        bool fakeVault = true,
        Action<IServiceCollection>? replace = null,
        bool devMode = false
    )
    {
        var broker = new TestBroker(Directory.CreateTempSubdirectory("credbroker-test-").FullName);
        await File.WriteAllTextAsync(broker.PolicyFile, policy);
        await File.WriteAllTextAsync(Path.Combine(broker.Folder, "vault-token"), "test");
        await broker.RestartAsync(settings, fakeVault, replace, devMode);
        return broker;
    }

    /// <summary>Stops the server, if it runs, and starts it on the same store and policy.</summary>
    public async Task RestartAsync(
        IReadOnlyDictionary<string, string?>? settings = null,
        bool fakeVault = true,
        Action<IServiceCollection>? replace = null,
        bool devMode = false
    )
    {
        await StopAsync();
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(Settings())
            .AddInMemoryCollection(settings)
            .Build();
        _app = BrokerHost.Build(
            configuration,
            devMode: devMode,
            replace: services =>
            {
                if (fakeVault)
                {
                    services.Replace(ServiceDescriptor.Singleton<ISecretIssuer>(Vault));
                    services.Replace(ServiceDescriptor.Singleton<IAnchorPlace>(AnchorPlace));
                }

                replace?.Invoke(services);
            }
        );
        await _app.StartAsync();
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Addresses[0] };
    }

    /// <summary>Stops the server; the folder stays.</summary>
    public async Task StopAsync()
    {
        if (_app is not null)
        {
            Http.Dispose();
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
    }

    /// <summary>One call with a bearer token.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        string? token,
        HttpContent? body = null,
        HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead
    )
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return await Http.SendAsync(request, completion);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Workloads.Dispose();
        People.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>The settings of such a broker, also for one that runs as a process of its own.</summary>
    public Dictionary<string, string?> Settings() =>
        new()
        {
            ["Listen:Agents:Url"] = "http://127.0.0.1:0",
            ["Log:Level"] = "Warning",
            ["Storage:SqliteFile"] = StoreFile,
            ["Policy:File"] = PolicyFile,
            ["Vault:Address"] = "http://127.0.0.1:1",
            ["Vault:Installation"] = "test",
            ["Vault:TokenFile"] = Path.Combine(Folder, "vault-token"),
            ["Identity:Audience"] = Workloads.Audience,
            ["Identity:Issuers:0:Issuer"] = Workloads.Issuer,
            ["Identity:Issuers:0:Algorithms:0"] = "ES256",
            ["Identity:Issuers:0:Jwks:File"] = Workloads.JwksFile,
            ["Identity:Issuers:0:WorkloadClaim"] = "workload",
            ["Identity:Issuers:0:InstanceClaim"] = "instance",
            ["Identity:Issuers:1:Issuer"] = People.Issuer,
            ["Identity:Issuers:1:Use"] = "people",
            ["Identity:Issuers:1:Audience"] = People.Audience,
            ["Identity:Issuers:1:Algorithms:0"] = "ES256",
            ["Identity:Issuers:1:Jwks:File"] = People.JwksFile,
            ["Identity:Issuers:1:RolesClaim"] = "roles",
            ["Identity:Issuers:1:Roles:admin:0"] = "admin",
            ["Identity:Issuers:1:Roles:auditor:0"] = "auditor",
            ["Identity:Issuers:1:Roles:viewer:0"] = "viewer",
            ["Identity:Issuers:1:Roles:approver:0"] = "approver",
        };
}
