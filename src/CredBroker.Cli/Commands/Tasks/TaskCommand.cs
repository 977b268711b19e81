namespace CredBroker.Cli.Commands.Tasks;

/// <summary><c>credbroker task</c>: a task as a whole.</summary>
internal sealed class TaskCommand : GroupCommand
{
    public TaskCommand(Terminal terminal)
        : base("task", "End a task: what was issued for it is taken back at once.") =>
        Add(new TaskCloseCommand(terminal));
}
