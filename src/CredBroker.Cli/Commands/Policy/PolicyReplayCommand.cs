using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy replay</c>: what a document would have said to the requests of the past.</summary>
internal sealed class PolicyReplayCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Argument<string> _file = new("FILE")
    {
        Description = "The policy document; the schemas that it names are read beside it",
    };
    private readonly Option<TimeSpan?> _since = PastPeriod.Create(
        "--since",
        "How far to look back, by the clock of this machine"
    );

    public PolicyReplayCommand(Terminal terminal)
        : base(
            "replay",
            "Decide the recorded requests of the past again under a policy document, denied ones too, and list what would be "
                + "decided otherwise. Nothing is applied. Exit code 5 if the document has faults."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _since.Required = true;
        Add(_file);
        Add(_since);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        var document = await PolicyText.ReadAsync(parsed.GetRequiredValue(_file), cancellationToken);
        using var connection = _broker.ConnectAsPerson(parsed);
        var replay = await ReplayRun.RunAsync(
            _terminal,
            new(connection),
            new()
            {
                Text = document.Text,
                Schemas = document.Schemas.Count == 0 ? null : document.Schemas,
                From = _terminal.Time.GetUtcNow() - parsed.GetRequiredValue(_since)!.Value,
            },
            cancellationToken
        );
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(replay, BrokerJson.Default.PolicyReplayResponse));
        }
        else if (replay.Faults is null)
        {
            ReplayRun.Write(_terminal, format, replay);
        }

        foreach (var fault in format == OutputFormat.Json ? [] : replay.Faults ?? [])
        {
            _terminal.Error.WriteLine(Printable.Text(fault));
        }

        return replay.Faults is null ? ExitCodes.Done : ExitCodes.FaultsFound;
    }
}
