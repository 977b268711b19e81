using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Leases;

/// <summary>Leases as rows, and what a revocation cannot reach.</summary>
internal static class LeaseTable
{
    public static void Write(Terminal terminal, OutputFormat format, IReadOnlyList<LeaseResponse> leases) =>
        Grid.Write(
            terminal,
            format,
            ["Lease", "State", "Agent", "Credential", new Column("Process / task", 110), "Ends"],
            [
                .. leases.Select(lease =>
                    new[]
                    {
                        lease.LeaseId,
                        lease.State,
                        Agent(lease),
                        lease.Credential,
                        $"{lease.Task.Process} / {lease.Task.Id}",
                        Ends(lease, format, terminal.Time),
                    }
                ),
            ]
        );

    public static string Agent(LeaseResponse lease) =>
        lease.Holder switch
        {
            null => "",
            { Instance: { Length: > 0 } instance } holder => $"{holder.Agent ?? holder.Workload} ({instance})",
            var holder => holder.Agent ?? holder.Workload,
        };

    /// <summary>
    /// What may still be accepted although it was revoked: on standard error, because it must not be missed where the
    /// table goes into a file.
    /// </summary>
    public static void WriteStillValid(Terminal terminal, IReadOnlyList<StillValidResponse> stillValid)
    {
        foreach (var valid in stillValid)
        {
            if (valid.LeaseId.Length == 0)
            {
                // What was not searched: whether there is anything is not known.
                terminal.Error.WriteLine(Printable.Text(valid.What));
                continue;
            }

            var until = valid.Until is { } end ? $"until {TimeText.Rfc3339(end)}" : "no end is known";
            terminal.Error.WriteLine(
                $"Still valid: {Printable.Text(valid.Credential)} of lease {Printable.Text(valid.LeaseId)}, {until}: "
                    + Printable.Text(valid.What)
            );
        }
    }

    private static string Ends(LeaseResponse lease, OutputFormat format, TimeProvider time) =>
        lease switch
        {
            { State: LeaseStates.Failed, Revocation.NextAttemptAt: { } next } =>
                $"retry {TimeText.Short(next, format, time)}",
            { Revocation.ConfirmedAt: { } confirmed } => TimeText.Short(confirmed, format, time),
            _ => TimeText.Short(lease.ExpiresAt, format, time),
        };
}
