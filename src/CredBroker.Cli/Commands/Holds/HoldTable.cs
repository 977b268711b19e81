using System.Text.Json;
using CredBroker.Cli.Commands.Leases;
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
            [Column.Id("Hold"), "Refuses", "Lapses", new Column("Placed by", 110), "Reason"],
            [
                .. holds.Select(hold =>
                    new[]
                    {
                        hold.HoldId,
                        SelectorOptions.Words(hold, hold.Everything == true),
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
}
