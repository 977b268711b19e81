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
            [Column.Id("Lease"), "State", "Agent", "Credential", new Column("Process / task", 110), "Ends"],
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
        // By what is to be done: a value that ten leases read is rotated once.
        foreach (
            var same in stillValid.GroupBy(valid =>
                (valid.Credential, valid.What, IsSearched: valid.LeaseId.Length > 0)
            )
        )
        {
            if (!same.Key.IsSearched)
            {
                // What was not searched: whether there is anything is not known.
                terminal.Error.WriteLine(Printable.Text(same.Key.What));
                continue;
            }

            var leases = same.Select(valid => valid.LeaseId).Distinct().ToList();
            var of = leases.Count == 1 ? $"lease {Printable.Text(leases[0])}" : $"{leases.Count} leases";
            var until = same.All(valid => valid.Until is not null)
                ? $"until {TimeText.Rfc3339(same.Max(valid => valid.Until)!.Value)}"
                : "no end is known";
            terminal.Error.WriteLine(
                $"Still valid: {Printable.Text(same.Key.Credential)} of {of}, {until}: {Printable.Text(same.Key.What)}"
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
