using CredBroker.Core.State;
#if CREDBROKER_DEV
using CredBroker.Server.Dev;
#endif

namespace CredBroker.Server.Hosting;

/// <summary>
/// The server's main: reads the command line and the settings, runs the broker, and says plainly what is wrong.
/// </summary>
internal static class BrokerProgram
{
    private const int Stopped = 0;
    private const int Fault = 1;
    private const int Wrong = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        var (line, fault) = CommandLine.Parse(args);
        if (fault is not null || line.Help)
        {
            var text = fault is null
                ? CommandLine.Usage
                : $"{fault}{Environment.NewLine}{Environment.NewLine}{CommandLine.Usage}";
            await (fault is null ? Console.Out : Console.Error).WriteLineAsync(text);
            return fault is null ? Stopped : Wrong;
        }

        try
        {
            var configuration = SettingsFiles.Open(line.SettingsFile).Build();
            return line.Dev
                ? await RunDevModeAsync(configuration, line.Check)
                : await RunBrokerAsync(configuration, line.Check);
        }
        catch (SettingsFaultsException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return Wrong;
        }
        catch (Exception e) when (e is StoreUnavailableException or IOException)
        {
            // The store is in use or broken, or the port is taken: a sentence, no stack.
            await Console.Error.WriteLineAsync($"The broker cannot start: {e.Message}");
            return Fault;
        }
    }

#if CREDBROKER_DEV
    private static async Task<int> RunDevModeAsync(IConfiguration configuration, bool check)
    {
        var options = new DevModeOptions { Settings = configuration };
        await using var dev = await DevMode.StartAsync(options, CancellationToken.None);
        return await RunBrokerAsync(dev.Settings, check, dev.Describe);
    }
#else
    private static Task<int> RunDevModeAsync(IConfiguration configuration, bool check) =>
        throw new SettingsFaultsException([
            "--dev is given, but this broker is built without dev mode: start it without --dev and with settings, or take a build that has dev mode.",
        ]);
#endif

    /// <summary>
    /// Runs until it is stopped. Dev mode gives <paramref name="greet"/>: what to print once the broker listens at an
    /// address.
    /// </summary>
    private static async Task<int> RunBrokerAsync(
        IConfiguration configuration,
        bool check,
        Func<Uri, string>? greet = null
    )
    {
        if (check)
        {
            return await CheckAsync(configuration, devMode: greet is not null);
        }

        await using var app = BrokerHost.Build(configuration, devMode: greet is not null);
        await app.StartAsync();
        if (greet is not null)
        {
            await Console.Out.WriteLineAsync(greet(new Uri(app.Urls.Single())));
        }

        await app.WaitForShutdownAsync();
        return Stopped;
    }

    private static async Task<int> CheckAsync(IConfiguration configuration, bool devMode)
    {
        // Puts it together as a start does: what only that finds is found, too.
        await using var app = BrokerHost.Build(configuration, devMode);
        var warnings = await SettingsCheck.RunAsync(
            BrokerSettings.Read(configuration, devMode),
            CancellationToken.None
        );
        foreach (var warning in warnings)
        {
            await Console.Error.WriteLineAsync($"warning: {warning}");
        }

        await Console.Out.WriteLineAsync(
            "The settings have no fault, and every file that they name can be used. "
                + "Vault is asked by: credbroker vault check"
        );
        return Stopped;
    }
}
