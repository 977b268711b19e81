using System.Text;
using CredBroker.Cli;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>Runs the command line in this process, with an environment and standard streams of its own.</summary>
internal sealed record CliRun(int ExitCode, string Out, string Error)
{
    /// <summary>The program for tests that need a process.</summary>
    public static string Program => typeof(CommandLine).Assembly.Location;

    public static Task<CliRun> RunAsync(
        IReadOnlyDictionary<string, string> environment,
        bool atTerminal,
        params string[] args
    ) => RunAsync(environment, atTerminal, typed: null, args);

    /// <summary>With a person who types this, where they are asked.</summary>
    public static Task<CliRun> RunTypingAsync(
        IReadOnlyDictionary<string, string> environment,
        string typed,
        params string[] args
    ) => RunAsync(environment, atTerminal: false, typed, args);

    /// <summary>With <c>--watch</c>: the next look comes at once; at a terminal that obeys escapes, if it is drawn.</summary>
    public static Task<CliRun> RunWatchingAsync(
        IReadOnlyDictionary<string, string> environment,
        bool isDrawn,
        params string[] args
    ) => RunWatchingAsync(environment, isDrawn, new ImpatientTime(), args);

    /// <summary>With the clock that says how long it would have waited.</summary>
    public static Task<CliRun> RunWatchingAsync(
        IReadOnlyDictionary<string, string> environment,
        bool isDrawn,
        ImpatientTime time,
        params string[] args
    ) => RunAsync(environment, isDrawn, typed: null, [.. args, "--watch"], time, isDrawn);

    private static async Task<CliRun> RunAsync(
        IReadOnlyDictionary<string, string> environment,
        bool atTerminal,
        string? typed,
        string[] args,
        TimeProvider? time = null,
        bool? ansi = null
    )
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var bytes = new MemoryStream();
        var terminal = new Terminal
        {
            Out = output,
            Error = error,
            In = typed is null ? Stream.Null : new MemoryStream(Encoding.UTF8.GetBytes(typed)),
            InIsTerminal = typed is not null,
            OpenOut = () => bytes,
            OutIsTerminal = atTerminal,
            ErrorIsTerminal = false,
            Variable = name => environment.GetValueOrDefault(name),
            Time = time ?? TimeProvider.System,
            Ansi = ansi,
            Width = 160,
            Height = 40,
        };
        var exitCode = await CommandLine.RunAsync(args, terminal);
        return new(exitCode, output + Encoding.UTF8.GetString(bytes.ToArray()), error.ToString());
    }

    /// <summary>In a pipe.</summary>
    public static Task<CliRun> RunAsync(IReadOnlyDictionary<string, string> environment, params string[] args) =>
        RunAsync(environment, atTerminal: false, args);
}

/// <summary>A clock on which nobody waits: every pause is over at once.</summary>
internal sealed class ImpatientTime : TimeProvider
{
    private readonly List<TimeSpan> _pauses = [];

    /// <summary>How long they would have been.</summary>
    public IReadOnlyList<TimeSpan> Pauses => _pauses;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > TimeSpan.Zero)
        {
            _pauses.Add(dueTime);
        }

        return System.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? TimeSpan.FromTicks(1) : dueTime, period);
    }
}
