using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Catalogue;

/// <summary><c>credbroker catalogue</c>: what the agent that runs here may ask for.</summary>
internal sealed class CatalogueCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;

    public CatalogueCommand(Terminal terminal)
        : base("catalogue", "What this workload may ask for, and whether a person would be asked.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _broker.AddForAgents(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsAgent(parsed);
        var catalogue = await new AgentClient(connection).GetCatalogueAsync(cancellationToken);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(catalogue, BrokerJson.Default.CatalogueResponse));
        }
        else if (catalogue.Entries.Count == 0)
        {
            _terminal.Error.WriteLine("There is nothing that this workload may ask for.");
        }
        else
        {
            Grid.Write(
                _terminal,
                format,
                [
                    "Credential",
                    "Process",
                    "Decision",
                    new("Actions", 80),
                    new("Max TTL", 100),
                    new("Renewable", 120),
                    new("Asks or depends on", 100),
                    new("Parameters", 140),
                ],
                [.. catalogue.Entries.Select(Row)]
            );
        }

        return ExitCodes.Done;
    }

    private static string[] Row(CatalogueOfferResponse offer) =>
        [
            offer.Credential,
            offer.Process,
            offer.Decision,
            string.Join(", ", offer.Actions),
            WireDuration.Format(offer.MaxTtl),
            offer.Renewable ? "yes" : "no",
            string.Join(", ", offer.Asks ?? offer.DependsOn ?? []),
            string.Join(", ", (offer.Params ?? new Dictionary<string, string>()).Select(p => $"{p.Key}={p.Value}")),
        ];
}
