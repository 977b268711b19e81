using System.CommandLine;
using System.CommandLine.Parsing;
using CredBroker.Cli.Commands.Credentials;
using CredBroker.Client;

namespace CredBroker.Cli.Output;

/// <summary>
/// <c>--watch</c>: the command looks again and again, until Ctrl-C or until what it shows is over. A terminal is drawn
/// anew; in a pipe, and with <c>plain</c> and <c>json</c>, each change is appended. A broker that is away for a while is
/// waited for, and what was seen last stands with its time.
/// </summary>
internal sealed class Watch
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    private readonly TimeSpan _usual;
    private readonly TimeSpan _shortest;
    private readonly Option<bool> _watch = new("--watch", "-w")
    {
        Description = "Look again and again until Ctrl-C; with json a line for each change",
    };
    private readonly Option<TimeSpan?> _interval;

    /// <param name="usualSeconds">How often it looks unless told otherwise.</param>
    /// <param name="shortestSeconds">How often it looks at most.</param>
    public Watch(int usualSeconds = 2, int shortestSeconds = 1)
    {
        (_usual, _shortest) = (TimeSpan.FromSeconds(usualSeconds), TimeSpan.FromSeconds(shortestSeconds));
        _interval = new("--interval")
        {
            HelpName = $"{usualSeconds}s",
            Description = $"With --watch: how long between two looks, {Bounds}",
            CustomParser = ParseInterval,
        };
    }

    public void AddTo(Command command)
    {
        command.Add(_watch);
        command.Add(_interval);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_interval) is not null && !result.GetValue(_watch))
            {
                result.AddError("--interval is how often --watch looks. Add --watch.");
            }
        });
    }

    private string Bounds => $"from {TimeText.Duration(_shortest)} to {TimeText.Duration(Longest)}";

    /// <summary>
    /// Looks once, or as long as it is watched and somebody reads: a pipe whose reader is gone ends it as Ctrl-C does.
    /// </summary>
    /// <returns>The exit code of the last look: whoever stops watching an order that is not done has not seen it done.</returns>
    public async Task<int> RunAsync(
        ParseResult parsed,
        Terminal terminal,
        Func<Terminal, Task<Look>> lookAsync,
        CancellationToken cancellationToken
    )
    {
        if (!parsed.GetValue(_watch))
        {
            return (await lookAsync(terminal)).ExitCode;
        }

        var interval = parsed.GetValue(_interval) ?? _usual;
        using var screen = WatchScreen.Open(
            terminal,
            OutputOption.Of(parsed, terminal),
            $"{UsageFaults.Path(parsed.CommandResult)}, every {TimeText.Duration(interval)}"
        );
        var last = (Look?)null;
        try
        {
            while (true)
            {
                var pause = interval;
                var written = (LookText?)null;
                try
                {
                    written = await screen.LookAsync(lookAsync);
                }
                catch (Exception e) when (last is not null && IsPassing(e))
                {
                    screen.TellAway(e);
                    pause = AtLeast(interval, (e as BrokerProblemException)?.RetryAfter);
                }

                // Not in the try: that this cannot be written is no silence of the broker.
                if (written is { } text)
                {
                    screen.Show(text);
                    last = text.Look;
                }

                if (last is { IsOver: true } over)
                {
                    return over.ExitCode;
                }

                await Task.Delay(pause, terminal.Time, cancellationToken);
                if (last is { } seen && terminal.OutIsClosed())
                {
                    return seen.ExitCode;
                }
            }
        }
        catch (OperationCanceledException) when (last is not null && cancellationToken.IsCancellationRequested)
        {
            return last.Value.ExitCode;
        }
    }

    private TimeSpan? ParseInterval(ArgumentResult result)
    {
        var interval = RequestOptions.ParseDuration(result);
        if (interval < _shortest || interval > Longest)
        {
            result.AddError($"--interval is {Bounds}, and not {result.Tokens[0].Value}.");
        }

        return interval;
    }

    /// <summary>The interval, or longer where the broker asks for that: it is not asked before.</summary>
    private static TimeSpan AtLeast(TimeSpan interval, TimeSpan? asked) =>
        asked is { } longer && longer > interval ? TimeSpan.FromTicks(Math.Min(longer.Ticks, Longest.Ticks)) : interval;

    /// <summary>What may be over in a while; a no is none of it.</summary>
    public static bool IsPassing(Exception e) =>
        e is HttpRequestException or IOException
        || e is BrokerProblemException { Status: 429 or >= 500 }
        || e is TokenSourceException { IsTransient: true }
        || e is OperationCanceledException { InnerException: TimeoutException };
}
