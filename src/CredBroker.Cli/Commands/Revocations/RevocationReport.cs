using System.Text.Json;
using CredBroker.Cli.Commands.Leases;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Revocations;

/// <summary>How far a revocation is, lease by lease, for a person or a program.</summary>
internal static class RevocationReport
{
    /// <param name="terminal">Where it is told.</param>
    /// <param name="order">The order's id.</param>
    /// <param name="progress">How far it is.</param>
    /// <param name="format">For whom.</param>
    /// <param name="holdId">The hold that was placed with it, which a program needs to lift it.</param>
    public static int Tell(
        Terminal terminal,
        string order,
        RevocationResponse progress,
        OutputFormat format,
        string? holdId = null
    )
    {
        if (format == OutputFormat.Json)
        {
            var document = JsonSerializer.Serialize(progress, BrokerJson.Default.RevocationResponse);
            terminal.Out.WriteLine(
                holdId is null ? document : $$"""{"holdId":"{{JsonEncodedText.Encode(holdId)}}",{{document[1..]}}"""
            );
            return progress.Complete ? ExitCodes.Done : ExitCodes.Unavailable;
        }

        if (progress.Leases.Count > 0)
        {
            Grid.Write(
                terminal,
                format,
                [
                    Column.Id("Lease"),
                    "State",
                    "Agent",
                    "Credential",
                    new Column("Process / task", 110),
                    "Confirmed after",
                ],
                [
                    .. progress.Leases.Select(lease =>
                        new[]
                        {
                            lease.LeaseId,
                            lease.State,
                            LeaseTable.Agent(lease),
                            lease.Credential,
                            $"{lease.Task.Process} / {lease.Task.Id}",
                            Latency(lease),
                        }
                    ),
                ]
            );
        }

        LeaseTable.WriteStillValid(terminal, progress.StillValid);
        terminal.Error.WriteLine(
            progress switch
            {
                { Complete: true, Leases.Count: 0 } =>
                    "No live lease on record matched. Requests of that kind that were under way are refused.",
                { RecordMissing: true } =>
                    $"The broker's store did not take the order: its record is missing, and it is carried out without. "
                        + $"Vault has confirmed {Count(progress.DeadAtVault ?? 0)} gone. Keep the broker running until "
                        + $"the order is on record: credbroker orders show {order} --watch",
                { Complete: true } => $"{Count(progress.Counts.Values.Sum())} over: {Counts(progress)}.",
                _ => $"Not confirmed yet: {Counts(progress)}. The broker goes on; "
                    + $"watch it with: credbroker orders show {order} --watch",
            }
        );
        return progress.Complete ? ExitCodes.Done : ExitCodes.Unavailable;
    }

    private static string Latency(LeaseResponse lease) =>
        lease.Revocation switch
        {
            _ when lease.State == LeaseStates.Ended => "never: it cannot be revoked",
            { ConfirmedAt: { } confirmed, RequestedAt: { } requested } => TimeText.Duration(confirmed - requested),
            { LastError: { Length: > 0 } error } => error,
            _ => "",
        };

    public static string Count(int leases) => leases == 1 ? "1 lease" : $"{leases} leases";

    private static string Counts(RevocationResponse progress) =>
        string.Join(
            ", ",
            LeaseStates
                .All.Where(state => progress.Counts.GetValueOrDefault(state) > 0)
                .Select(state => $"{progress.Counts[state]} {state}")
        );
}
