using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Tasks;

/// <summary><c>credbroker task close</c>: its opener ends a task, or an admin in its place.</summary>
internal sealed class TaskCloseCommand : Command
{
    private readonly Argument<string> _task = new("ID")
    {
        Description = "The task's id, as exchange and exec named it",
        Validators = { KnownIds.CheckTask },
    };
    private readonly Option<string> _process = new("--process")
    {
        HelpName = "NAME",
        Description = "Its business process",
        Required = true,
    };

    public TaskCloseCommand(Terminal terminal)
        : base(
            "close",
            "Close a task: everything issued for it is revoked, and its id is never taken again. "
                + "The workload that opened it may, and an admin."
        )
    {
        var broker = new BrokerOptions(terminal);
        Add(_task);
        Add(_process);
        broker.AddForAgents(this);
        Add(OutputOption.Create());
        SetAction(
            async (parsed, cancellationToken) =>
            {
                using var connection = broker.ConnectAsEither(parsed);
                var (task, process) = (parsed.GetRequiredValue(_task), parsed.GetRequiredValue(_process));
                await new AdminClient(connection).CloseTaskAsync(task, new() { Process = process }, cancellationToken);
                if (OutputOption.Of(parsed, terminal) == OutputFormat.Json)
                {
                    terminal.Out.WriteLine(JsonSerializer.Serialize(new(task, process), CliJson.Default.ClosedOutput));
                    return ExitCodes.Done;
                }

                terminal.Error.WriteLine(
                    "Closed: nothing more is issued for it, and what was is being revoked. "
                        + $"Who may list leases sees how far: credbroker leases list --task {Printable.Text(task)}"
                );
                return ExitCodes.Done;
            }
        );
    }
}
