using System.Text.RegularExpressions;
using CredBroker.Client;
using CredBroker.Testing.Processes;

namespace CredBroker.Testing.Servers;

/// <summary>The built server as a process of its own. Settings go by environment variables.</summary>
internal sealed partial class BrokerProcess : IAsyncDisposable
{
    private readonly ChildProcess _child;

    private BrokerProcess(ChildProcess child, IReadOnlyList<Uri> addresses)
    {
        (_child, Addresses) = (child, addresses);
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = addresses[0] };
    }

    /// <summary>Where it listens: the agents' address and, where they have one of their own, the people's.</summary>
    public IReadOnlyList<Uri> Addresses { get; }

    /// <summary>Calls without a token.</summary>
    public HttpClient Http { get; }

    /// <summary>What it has written to the console, the newest part of it.</summary>
    public string Output => _child.Output;

    /// <summary>Its process id.</summary>
    public int Id => _child.Process.Id;

    /// <summary>Its program, beside the tests.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "CredBroker.Server.dll");

    /// <summary>
    /// Starts it and waits until it listens. The settings' <c>Log:Level</c> must let information through, for it to say
    /// where.
    /// </summary>
    /// <param name="settings">The settings by path, such as <c>Vault:Address</c>.</param>
    /// <param name="failpoint">Where it stops to be killed; Debug builds only.</param>
    /// <param name="environment">Further environment variables, as they are.</param>
    public static async Task<BrokerProcess> StartAsync(
        IReadOnlyDictionary<string, string?> settings,
        string? failpoint = null,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        var child = Launch([], settings, failpoint, environment);
        IReadOnlyList<Uri> addresses = [];
        await Eventually.BecomesTrueAsync(
            () =>
            {
                Assert.False(child.HasExited, $"The server ended before it listened: {child.Output}");
                addresses = [.. Address().Matches(Listening().Match(child.Output).Value).Select(m => new Uri(m.Value))];
                return Task.FromResult(addresses.Count > 0);
            },
            "the server's listening"
        );
        return new(child, addresses);
    }

    /// <summary>A connection with this token.</summary>
    public BrokerConnection Connect(string token) => new(Http, TokenSource.From(_ => new(token)));

    /// <summary>How it is: <c>ok</c> or <c>unavailable</c>.</summary>
    public async Task<string> HealthAsync(string probe) => (await Connect("").GetHealthAsync(probe)).Status;

    /// <summary>Waits until it has reached the failpoint that it was started with.</summary>
    public Task ReachedAsync(string failpoint) =>
        Eventually.BecomesTrueAsync(
            () => Task.FromResult(Output.Contains($"failpoint {failpoint} reached", StringComparison.Ordinal)),
            $"reaching {failpoint}"
        );

    /// <summary>Runs it to its end with these arguments: its exit code and what it wrote.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? settings = null
    )
    {
        await using var child = Launch(arguments, settings ?? new Dictionary<string, string?>());
        await child.Process.WaitForExitAsync();
        return (child.Process.ExitCode, child.Output);
    }

    /// <summary>SIGKILL, as a crash would be.</summary>
    public Task KillAsync() => _child.KillAsync();

    /// <summary>Sends it a signal: <c>STOP</c> and <c>CONT</c> pause it.</summary>
    public Task SignalAsync(string signal) => _child.SignalAsync(signal);

    /// <summary>SIGTERM, and its exit code once it has ended.</summary>
    public async Task<int> StopAsync()
    {
        await SignalAsync("TERM");
        await _child.Process.WaitForExitAsync();
        return _child.Process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _child.DisposeAsync();
    }

    private static ChildProcess Launch(
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?> settings,
        string? failpoint = null,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        var all = new Dictionary<string, string>(environment ?? new Dictionary<string, string>());
        foreach (var (path, value) in settings)
        {
            if (value is not null)
            {
                all["CREDBROKER__" + path.Replace(":", "__", StringComparison.Ordinal)] = value;
            }
        }

        if (failpoint is not null)
        {
            all["CREDBROKER_FAILPOINT"] = failpoint;
        }

        return ChildProcess.Start("dotnet", [Program, .. arguments], all);
    }

    [GeneratedRegex("Listening on .*\n")]
    private static partial Regex Listening();

    [GeneratedRegex("https?://[0-9.]+:[0-9]+")]
    private static partial Regex Address();
}
