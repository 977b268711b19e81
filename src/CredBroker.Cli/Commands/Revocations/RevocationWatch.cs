using System.CommandLine;
using CredBroker.Cli.Commands.Credentials;
using CredBroker.Client;
using Spectre.Console;

namespace CredBroker.Cli.Commands.Revocations;

/// <summary>
/// Asks how far a revocation is until it is complete, and shows that on standard error: a bar for a person, a line per
/// change for a log.
/// </summary>
internal sealed class RevocationWatch(AdminClient client, Terminal terminal)
{
    /// <summary>How long a command watches.</summary>
    public static Option<TimeSpan?> WaitOption() =>
        new("--wait")
        {
            HelpName = "60s",
            Description = "How long to wait for confirmation",
            CustomParser = RequestOptions.ParseDuration,
            DefaultValueFactory = _ => TimeSpan.FromMinutes(1),
        };

    /// <summary>The order as it stands when it is complete, or when the time is over.</summary>
    public async Task<RevocationResponse> UntilCompleteAsync(
        string order,
        TimeSpan wait,
        CancellationToken cancellationToken
    )
    {
        if (!terminal.ErrorIsTerminal)
        {
            var last = "";
            return await PollAsync(
                order,
                wait,
                progress =>
                {
                    var line = $"{Over(progress)} of {progress.Counts.Values.Sum()} confirmed";
                    if (line != last && !progress.Complete)
                    {
                        terminal.Error.WriteLine(last = line);
                    }
                },
                cancellationToken
            );
        }

        return await terminal
            .ErrorConsole()
            .Progress()
            .AutoClear(true)
            .HideCompleted(false)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new SpinnerColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask("Revoking", maxValue: 1);
                return await PollAsync(
                    order,
                    wait,
                    progress =>
                    {
                        var failed = progress.Counts.GetValueOrDefault(LeaseStates.Failed);
                        (bar.MaxValue, bar.Value) = (Math.Max(1, progress.Counts.Values.Sum()), Over(progress));
                        bar.Description =
                            failed > 0 ? $"Revoking, [red]{failed} failed and tried again[/]" : "Revoking";
                    },
                    cancellationToken
                );
            });
    }

    private async Task<RevocationResponse> PollAsync(
        string order,
        TimeSpan wait,
        Action<RevocationResponse> show,
        CancellationToken cancellationToken
    )
    {
        var started = terminal.Time.GetTimestamp();
        RevocationResponse? last = null;
        await foreach (var progress in client.FollowRevocationAsync(order, cancellationToken))
        {
            show(last = progress);
            if (terminal.Time.GetElapsedTime(started) >= wait)
            {
                break;
            }
        }

        return last!;
    }

    private static int Over(RevocationResponse progress) =>
        progress.Counts.Where(count => LeaseStates.IsFinal(count.Key)).Sum(count => count.Value);
}
