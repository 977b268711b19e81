namespace CredBroker.Server.Hosting;

/// <summary>
/// What the server was started with. Settings are given by file and environment, never here: a command line is visible
/// to every user of the machine.
/// </summary>
internal sealed record CommandLine
{
#if CREDBROKER_DEV
    private const string DevMode =
        "everything built in, on this machine alone, nothing to configure; not for real secrets";
#else
    private const string DevMode = "not in this build";
#endif

    public const string Usage = $"""
        CredBroker: just-in-time, short-lived credentials for AI agents.

          CredBroker.Server                    start with ./appsettings.json and the environment (CREDBROKER__Section__Key)
          CredBroker.Server --settings FILE    start with another settings file
          CredBroker.Server --check            report every fault of the settings, of the files that they name and of the policy, and exit
          CredBroker.Server --dev              {DevMode}

        Every setting is described in appsettings.example.json. Exit codes: 0 stopped, 1 fault, 2 settings or command line wrong.
        """;

    public bool Dev { get; init; }

    public bool Check { get; init; }

    public bool Help { get; init; }

    public string? SettingsFile { get; init; }

    /// <summary>Reads the arguments; the fault is null when they are understood.</summary>
    public static (CommandLine Line, string? Fault) Parse(IReadOnlyList<string> args)
    {
        var line = new CommandLine();
        for (var i = 0; i < args.Count; i++)
        {
            switch (args[i])
            {
                case "--dev":
                    line = line with { Dev = true };
                    break;
                case "--check":
                    line = line with { Check = true };
                    break;
                case "--help" or "-h":
                    line = line with { Help = true };
                    break;
                case "--settings" when i + 1 < args.Count:
                    line = line with { SettingsFile = args[++i] };
                    break;
                default:
                    return (
                        line,
                        $"\"{args[i]}\" is not understood; known are --dev, --settings FILE, --check and --help."
                    );
            }
        }

        return (line, null);
    }
}
