namespace CredBroker.Cli.Commands.Approvals;

/// <summary><c>credbroker approvals</c>: what agents ask people for, and what an approver says to it.</summary>
internal sealed class ApprovalsCommand : GroupCommand
{
    public ApprovalsCommand(Terminal terminal)
        : base("approvals", "What agents ask people for: look at it, agree or refuse.")
    {
        Add(new ApprovalsListCommand(terminal));
        Add(new ApprovalsShowCommand(terminal));
        Add(new ApprovalsWatchCommand(terminal));
        Add(new ApprovalsApproveCommand(terminal));
        Add(new ApprovalsDenyCommand(terminal));
        Add(new ApprovalsBoxesCommand(terminal));
        Add(new ApprovalsRevokeBoxCommand(terminal));
    }
}
