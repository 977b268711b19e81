using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Exec;

/// <summary>
/// Lengthens a secret's life while its command runs, each time two thirds of what is left are over. Where the broker
/// says no, it says when the secret ends.
/// </summary>
internal sealed class Renewal(BrokerClient client, ExchangeResponse issued, Terminal terminal)
{
    private static readonly TimeSpan TooShort = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    public async Task RunAsync(CancellationToken ended)
    {
        var end = issued.ExpiresAt;
        while (end - terminal.Time.GetUtcNow() is var left && left > TooShort)
        {
            try
            {
                await Task.Delay(left * 2 / 3 < LongestWait ? left * 2 / 3 : LongestWait, terminal.Time, ended);
                end = (await client.RenewAsync(issued.LeaseId, new(), ended)).ExpiresAt ?? end;
            }
            catch (BrokerProblemException refused) when (refused.RetryAfter is null)
            {
                Failures.Tell(
                    $"The secret of this command ends at {Moment.Exact(end)}: {refused.Message}",
                    "",
                    terminal
                );
                return;
            }
            catch (Exception exception)
                when (exception
                        is BrokerProblemException
                            or HttpRequestException
                            or CliException
                            or OperationCanceledException
                )
            {
                if (ended.IsCancellationRequested)
                {
                    return;
                }
            }
        }
    }
}
