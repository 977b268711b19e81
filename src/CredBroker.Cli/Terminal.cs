using CredBroker.Cli.Login;
using CredBroker.Cli.Output;
using Spectre.Console;

namespace CredBroker.Cli;

/// <summary>What the commands touch of the process around them, so that a test can run them in its own.</summary>
internal sealed class Terminal
{
    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    public required Stream In { get; init; }

    /// <summary>Standard output as bytes, for what must not change on the way.</summary>
    public required Func<Stream> OpenOut { get; init; }

    /// <summary>Whether a person looks at standard output: then tables, relative times and colours.</summary>
    public required bool OutIsTerminal { get; init; }

    /// <summary>Whether nobody reads standard output any more: a pipe whose reader is gone.</summary>
    public Func<bool> OutIsClosed { get; init; } = static () => false;

    /// <summary>Whether a person looks at standard error: then progress bars.</summary>
    public required bool ErrorIsTerminal { get; init; }

    /// <summary>Whether a person types at standard input: then a question can be asked.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>An environment variable; null where it is not set or empty.</summary>
    public required Func<string, string?> Variable { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Shows an address in the user's browser, where there is one.</summary>
    public Action<Uri> OpenBrowser { get; init; } = static _ => { };

    /// <summary>Whether the terminal obeys escape sequences; null lets Spectre find out.</summary>
    public bool? Ansi { get; init; }

    /// <summary>Which colours it has; null lets Spectre find out, which heeds NO_COLOR.</summary>
    public ColorSystem? Colors { get; init; }

    /// <summary>Columns of the terminal; null lets Spectre find out.</summary>
    public int? Width { get; init; }

    /// <summary>Rows of the terminal; null lets Spectre find out.</summary>
    public int? Height { get; init; }

    public static Terminal OfProcess()
    {
        static string? Find(string name) =>
            Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

        return new()
        {
            Out = Console.Out,
            Error = Console.Error,
            In = Console.OpenStandardInput(),
            OpenOut = Console.OpenStandardOutput,
            OutIsTerminal = !Console.IsOutputRedirected,
            OutIsClosed = HangUp.OfOutput,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            InIsTerminal = !Console.IsInputRedirected,
            Variable = Find,
            Time = TimeProvider.System,
            OpenBrowser = address => Browser.Open(address, Find),
        };
    }

    public IAnsiConsole OutConsole() => Open(Out);

    public IAnsiConsole ErrorConsole() => Open(Error);

    /// <summary>This terminal for what is written on it later: as wide and as coloured, and nobody is asked anything.</summary>
    public Terminal Into(TextWriter output, TextWriter error)
    {
        var profile = OutConsole().Profile;
        return new()
        {
            Out = output,
            Error = error,
            In = Stream.Null,
            OpenOut = OpenOut,
            OutIsTerminal = OutIsTerminal,
            ErrorIsTerminal = false,
            Variable = Variable,
            Time = Time,
            Width = profile.Width,
            Height = profile.Height,
            Ansi = profile.Capabilities.Ansi,
            Colors = profile.Capabilities.ColorSystem,
        };
    }

    private IAnsiConsole Open(TextWriter writer)
    {
        var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(writer) });
        if (Width is { } width)
        {
            console.Profile.Width = width;
        }

        if (Height is { } height)
        {
            console.Profile.Height = height;
        }

        console.Profile.Capabilities.Ansi = Ansi ?? console.Profile.Capabilities.Ansi;
        console.Profile.Capabilities.ColorSystem = Colors ?? console.Profile.Capabilities.ColorSystem;

        return console;
    }
}
