using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;

namespace CredBroker.Server.Jobs;

/// <summary>
/// The one that carries revocations out, woken by whoever orders or finds one. However many orders there are, nothing
/// is started for each of them. Where another place in Vault is the store's, it leaves them to the brokers that are there.
/// </summary>
internal sealed partial class RevocationRunner(
    IBrokerStore store,
    RevocationRun run,
    RevocationSignal signal,
    VaultCluster cluster,
    ILogger<RevocationRunner> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // An order that another broker has taken is everybody's.
        store.News += signal.Raise;
        while (true)
        {
            try
            {
                await signal.HearAsync(stoppingToken);
                if (!cluster.IsElsewhere)
                {
                    await run.PassAsync(stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                store.News -= signal.Raise;
                return;
            }
            catch (Exception fault)
            {
                // Whatever it is: what there is to do stands in the store, and the retry job wakes this each second.
                LogInterrupted(logger, fault);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Carrying out revocations was interrupted; it goes on within a second."
    )]
    private static partial void LogInterrupted(ILogger logger, Exception fault);
}
