using CredBroker.Client;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>The built server as a process of its own, so that it can be killed like one.</summary>
internal sealed class BrokerProcess : IAsyncDisposable
{
    private readonly ChildProcess process;

    private BrokerProcess(ChildProcess process, Uri address)
    {
        this.process = process;
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
    }

    public HttpClient Http { get; }

    /// <summary>Everything it has logged, at the level the settings ask for.</summary>
    public string Output => process.Output;

    /// <summary>Starts it with these settings and waits until it answers.</summary>
    public static async Task<BrokerProcess> StartAsync(IReadOnlyDictionary<string, string> settings, string? failpoint = null)
    {
        var environment = settings.ToDictionary(setting => $"CREDBROKER__{setting.Key.Replace(":", "__", StringComparison.Ordinal)}", setting => setting.Value);
        if (failpoint is not null)
        {
            environment["CREDBROKER_FAILPOINT"] = failpoint;
        }

        var process = ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "CredBroker.Server.dll")], environment);
        var broker = new BrokerProcess(process, new Uri(settings["Listen:Url"]));
        try
        {
            await Eventually.BecomesTrueAsync(
                async () => !process.HasExited ? await broker.IsLiveAsync() : throw new InvalidOperationException($"The broker ended at its start: {process.Output}"),
                "the broker answers");
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    public BrokerClient Client(string token) => new(Http, _ => new(token));

    /// <summary>Waits until it has reached the failpoint that it was started with.</summary>
    public Task ReachedAsync(string failpoint) =>
        Eventually.BecomesTrueAsync(() => Task.FromResult(Output.Contains($"failpoint {failpoint} reached", StringComparison.Ordinal)), $"{failpoint} is reached");

    /// <summary>SIGKILL.</summary>
    public Task KillAsync() => process.KillAsync();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await process.DisposeAsync();
    }

    private async Task<bool> IsLiveAsync()
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri("health/live", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
