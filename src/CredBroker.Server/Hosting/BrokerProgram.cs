using CredBroker.Core.State;
using CredBroker.Server.Dev;

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
            await using var dev = line.Dev
                ? await DevMode.StartAsync(new DevModeOptions { Settings = configuration }, CancellationToken.None)
                : null;
            await using var app = BrokerHost.Build(dev?.Settings ?? configuration, line.Dev);
            if (line.Check)
            {
                await Console.Out.WriteLineAsync("The settings have no fault.");
                return Stopped;
            }

            await app.StartAsync();
            if (dev is not null)
            {
                await Console.Out.WriteLineAsync(dev.Describe(new Uri(app.Urls.Single())));
            }

            await app.WaitForShutdownAsync();
            return Stopped;
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
}
