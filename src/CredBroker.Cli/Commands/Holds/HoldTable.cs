using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Holds;

/// <summary>Holds as rows.</summary>
internal static class HoldTable
{
    public static void Write(Terminal terminal, OutputFormat format, IReadOnlyList<HoldResponse> holds) =>
        Grid.Write(
            terminal,
            format,
            ["Hold", "Refuses", "Lapses", new Column("Placed by", 110), "Reason"],
            [
                .. holds.Select(hold =>
                    new[]
                    {
                        hold.HoldId,
                        Selection(hold),
                        hold.Until is null ? "when lifted" : TimeText.Short(hold.Until, format, terminal.Time),
                        hold.PlacedBy,
                        hold.Reason,
                    }
                ),
            ]
        );

    /// <summary>One hold, and what to do next, on standard error; as JSON on standard output.</summary>
    public static int Tell(Terminal terminal, OutputFormat format, HoldResponse hold, string next)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(hold, BrokerJson.Default.HoldResponse));
        }
        else
        {
            Write(terminal, format, [hold]);
            terminal.Error.WriteLine(next);
        }

        return hold.RecordMissing == true ? ExitCodes.Unavailable : ExitCodes.Done;
    }

    private static string Selection(HoldResponse hold) =>
        hold.Everything == true
            ? "everything"
            : string.Join(
                ", ",
                new[]
                {
                    ("agent", hold.Agent),
                    ("workload", hold.Workload),
                    ("instance", hold.Instance),
                    ("subject", hold.Subject),
                    ("task", hold.Task),
                    ("process", hold.Process),
                    ("credential", hold.Credential),
                    ("owner", hold.Owner),
                    ("issuer", hold.Issuer),
                    ("trust domain", hold.TrustDomain),
                }
                    .Where(field => field.Item2 is not null)
                    .Select(field => $"{field.Item1} {field.Item2}")
            );
}
