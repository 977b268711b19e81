using System.CommandLine;
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
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _usual;
    private readonly Option<bool> _watch = new("--watch", "-w")
    {
        Description = "Look again and again until Ctrl-C; with json a line for each change",
    };
    private readonly Option<TimeSpan?> _interval;

    /// <param name="usualSeconds">How often it looks unless told otherwise.</param>
    public Watch(int usualSeconds = 2)
    {
        _usual = TimeSpan.FromSeconds(usualSeconds);
        _interval = new("--interval")
        {
            HelpName = $"{usualSeconds}s",
            Description = "With --watch: how long between two looks",
            CustomParser = RequestOptions.ParseDuration,
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

    /// <summary>Looks once, or as long as it is watched.</summary>
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

        var interval = TimeSpan.FromTicks(Math.Max((parsed.GetValue(_interval) ?? _usual).Ticks, Shortest.Ticks));
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
                try
                {
                    last = await screen.LookAsync(lookAsync);
                }
                catch (Exception e) when (last is not null && IsPassing(e))
                {
                    screen.TellAway(e);
                }

                if (last is { IsOver: true } over)
                {
                    return over.ExitCode;
                }

                await Task.Delay(interval, terminal.Time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (last is not null && cancellationToken.IsCancellationRequested)
        {
            return last.Value.ExitCode;
        }
    }

    /// <summary>What may be over in a while; a no is none of it.</summary>
    public static bool IsPassing(Exception e) =>
        e is HttpRequestException or IOException
        || e is BrokerProblemException { Status: 429 or >= 500 }
        || e is TokenSourceException { IsTransient: true }
        || e is OperationCanceledException { InnerException: TimeoutException };
}
