using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy diff</c>: what a document would end.</summary>
internal sealed class PolicyDiffCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Argument<string> _file = new("FILE")
    {
        Description = "The policy document; the schemas that it names are read beside it",
    };

    public PolicyDiffCommand(Terminal terminal)
        : base(
            "diff",
            "List the live leases that a policy document would end if it were applied now, and the requests to people that "
                + "it would take back, and why. "
                + "Nothing is applied. Exit code 5 if the document has faults."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_file);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        var document = await PolicyText.ReadAsync(parsed.GetRequiredValue(_file), cancellationToken);
        using var connection = _broker.ConnectAsPerson(parsed);
        var preview = await new AdminClient(connection).PreviewPolicyAsync(
            new() { Text = document.Text, Schemas = document.Schemas.Count == 0 ? null : document.Schemas },
            cancellationToken
        );
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(preview, BrokerJson.Default.PolicyPreviewResponse));
        }
        else
        {
            PolicyPreviewTable.Write(_terminal, format, preview);
        }

        return preview.Faults is null ? ExitCodes.Done : ExitCodes.FaultsFound;
    }
}
