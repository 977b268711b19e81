using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Store;

/// <summary>
/// <c>credbroker store accept</c>: how the store stands to its anchor in Vault, and going on with one that is behind it.
/// </summary>
internal sealed class StoreAcceptCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Option<long?> _epoch = new("--epoch")
    {
        HelpName = "NUMBER",
        Description = "Go on with the store as it is, in this epoch: the one that is shown without it; needs --reason",
    };
    private readonly Option<string?> _reason = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why it is accepted; stands in the audit log",
    };

    public StoreAcceptCommand(Terminal terminal)
        : base("accept", "How the store stands to its anchor in Vault, and going on with one that has gone back.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_epoch);
        Add(_reason);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        var (epoch, reason) = (parsed.GetValue(_epoch), parsed.GetValue(_reason));
        if (epoch is null != string.IsNullOrWhiteSpace(reason))
        {
            throw CliException.Usage(
                "--epoch and --reason belong together.",
                "First look with credbroker store accept; if the store is the right one, add --epoch NUMBER --reason TEXT."
            );
        }

        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var anchor = epoch is { } number
            ? await client.AcceptStoreAsync(new() { Epoch = number, Reason = reason! }, cancellationToken)
            : await client.GetStoreAnchorAsync(cancellationToken);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(anchor, BrokerJson.Default.StoreAnchorResponse));
        }
        else
        {
            Write(format, anchor);
        }

        return anchor.KeepsFromIssuing ? ExitCodes.FaultsFound : ExitCodes.Done;
    }

    private void Write(OutputFormat format, StoreAnchorResponse anchor)
    {
        Grid.WriteFields(
            _terminal,
            format,
            [
                ("Epoch", Number(anchor.Epoch) ?? "not compared yet"),
                ("Anchor's epoch", Number(anchor.AnchorEpoch) ?? anchor.NotKept ?? "none was read"),
                ("Missing", anchor.Missing.Count == 0 ? null : string.Join(", ", anchor.Missing)),
                ("Issuing", anchor.KeepsFromIssuing ? Stopped(anchor) : "not kept by this"),
            ]
        );
        if (anchor.Unknown is { Count: > 0 } unknown)
        {
            _terminal.Error.WriteLine("Vault holds what the store does not know. Look at it with:");
            _terminal.Error.WriteLine("  credbroker vault check --orphans");
            Grid.Write(
                _terminal,
                format,
                ["Credential", "Leases", "Vault leases"],
                [
                    .. unknown.Select(secrets =>
                        new[]
                        {
                            secrets.Credential,
                            Number(secrets.Count) ?? "?",
                            secrets.Why ?? string.Join(", ", secrets.VaultLeases),
                        }
                    ),
                ]
            );
        }
    }

    private static string Stopped(StoreAnchorResponse anchor) =>
        Number(anchor.AcceptAs) is { } next
            ? $"stopped: the store has gone back. If it is the right one: --epoch {next} --reason TEXT"
            : "stopped: the two have not been compared yet";

    private static string? Number(long? number) => number?.ToString(CultureInfo.InvariantCulture);
}
