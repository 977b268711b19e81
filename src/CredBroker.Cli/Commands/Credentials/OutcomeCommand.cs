using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Credentials;

/// <summary><c>credbroker outcome</c>: an agent says what it did with a secret.</summary>
internal sealed class OutcomeCommand : Command
{
    private readonly Argument<string> _lease = new("LEASE")
    {
        Description = "The lease's id, as exchange told it",
        Validators = { KnownIds.Check },
    };
    private readonly Option<string> _status = new("--status")
    {
        HelpName = "succeeded|failed|abandoned",
        Description = "What came of it",
        Required = true,
    };
    private readonly Option<string?> _summary = new("--summary")
    {
        HelpName = "TEXT",
        Description = "A sentence about it; never the secret: the agent that prepared the request and auditors read it",
    };
    private readonly Option<string?> _tool = new("--tool")
    {
        HelpName = "NAME",
        Description = "The tool call as it was made",
    };
    private readonly Option<string?> _toolArguments = new("--tool-arguments")
    {
        HelpName = "JSON",
        Description = "Its arguments: a JSON object, or @FILE",
    };

    public OutcomeCommand(Terminal terminal)
        : base("outcome", "Say what was done with a secret. It goes on record as this workload's statement.")
    {
        var broker = new BrokerOptions(terminal);
        _status.AcceptOnlyFromAmong("succeeded", "failed", "abandoned");
        Add(_lease);
        Add(_status);
        Add(_summary);
        Add(_tool);
        Add(_toolArguments);
        broker.AddForAgents(this);
        Add(OutputOption.Create());
        SetAction(
            async (parsed, cancellationToken) =>
            {
                using var connection = broker.ConnectAsAgent(parsed);
                var (lease, status) = (parsed.GetRequiredValue(_lease), parsed.GetRequiredValue(_status));
                await new AgentClient(connection).ReportAsync(
                    lease,
                    new()
                    {
                        Status = status,
                        Summary = parsed.GetValue(_summary),
                        ToolCall = RequestOptions.ToolCall(parsed.GetValue(_tool), parsed.GetValue(_toolArguments)),
                    },
                    cancellationToken
                );
                if (OutputOption.Of(parsed, terminal) == OutputFormat.Json)
                {
                    terminal.Out.WriteLine(
                        JsonSerializer.Serialize(new(lease, status), CliJson.Default.RecordedOutput)
                    );
                }
                else
                {
                    terminal.Error.WriteLine("Recorded.");
                }

                return ExitCodes.Done;
            }
        );
    }
}
