using CredBroker.FaultHarness.Faults;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;

namespace CredBroker.FaultHarness.Servers;

/// <summary>One of the brokers: a process that dies and comes back, at an address that stays.</summary>
internal sealed class ArenaBroker : IAsyncDisposable
{
    private readonly string _folder;
    private readonly Dictionary<string, string?> _settings;
    private BrokerProcess? _process;
    private int _starts;

    /// <param name="number">Which one, from 0.</param>
    /// <param name="folder">Where its logs go.</param>
    /// <param name="settings">What all of them are set to.</param>
    /// <param name="vault">OpenBao's port.</param>
    /// <param name="store">Where its store is.</param>
    public ArenaBroker(
        int number,
        string folder,
        IReadOnlyDictionary<string, string?> settings,
        int vault,
        ArenaStore store
    )
    {
        (Number, _folder) = (number, folder);
        // Under libfaketime Npgsql waits in vain for what a server has answered.
        Clock = store is SqliteStore ? WrongClock.Find(folder) : null;
        VaultLink = new ChaosProxy(LoopbackPort.Next(), vault);
        StoreLink = (store as PostgresStore)?.Links[number];
        var address = $"http://127.0.0.1:{LoopbackPort.Next()}";
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new(address),
            Timeout = TimeSpan.FromMinutes(2),
        };
        _settings = new(settings)
        {
            ["Listen:Agents:Url"] = address,
            ["Vault:Address"] = $"http://127.0.0.1:{VaultLink.Port}",
        };
        foreach (var (path, value) in store.Settings(number))
        {
            _settings[path] = value;
        }
    }

    /// <summary>Which one, from 0.</summary>
    public int Number { get; }

    /// <summary>Leads to it while it lives.</summary>
    public HttpClient Http { get; }

    /// <summary>From here to OpenBao.</summary>
    public ChaosProxy VaultLink { get; }

    /// <summary>From here to the store's server; null where the store is a file.</summary>
    public ChaosProxy? StoreLink { get; }

    /// <summary>Its own; null where it cannot be changed.</summary>
    public WrongClock? Clock { get; }

    /// <summary>When it was killed, each time.</summary>
    public IReadOnlyList<DateTimeOffset> Deaths { get; private set; } = [];

    public override string ToString() => $"broker {Number + 1}";

    /// <summary>Starts it on the store, and again should it end before it listens.</summary>
    /// <param name="onRefused">Told why it did not start.</param>
    /// <param name="failpoint">Where it stops to be killed; null for nowhere.</param>
    public async Task StartAsync(Action<string>? onRefused = null, string? failpoint = null)
    {
        while (true)
        {
            try
            {
                _process = await BrokerProcess.StartAsync(_settings, failpoint, Clock?.Environment);
                return;
            }
            catch (Xunit.Sdk.XunitException refused) when (onRefused is not null)
            {
                onRefused($"{this} did not start: {refused.Message}");
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            }
        }
    }

    /// <summary>SIGKILL, as a crash would be.</summary>
    public async Task KillAsync()
    {
        await _process!.KillAsync();
        Deaths = [.. Deaths, TimeProvider.System.GetUtcNow()];
        await KeepLogAsync();
        await _process.DisposeAsync();
    }

    /// <summary>Whether it has come to the failpoint that it was started with.</summary>
    public bool IsAt(string failpoint) =>
        _process!.Output.Contains($"failpoint {failpoint} reached", StringComparison.Ordinal);

    /// <summary>Sends it a signal: <c>STOP</c> and <c>CONT</c> pause it.</summary>
    public Task SignalAsync(string signal) => _process!.SignalAsync(signal);

    /// <summary>What it said since it was started goes into a file of its own.</summary>
    public Task KeepLogAsync() =>
        File.WriteAllTextAsync(
            Path.Combine(_folder, $"broker-{Number + 1}-{++_starts:000}.log"),
            _process?.Output ?? ""
        );

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        await VaultLink.DisposeAsync();
    }
}
