namespace CredBroker.Cli.Commands.Requests;

/// <summary><c>credbroker requests</c>: what people have approved and left to this workload.</summary>
internal sealed class RequestsCommand : GroupCommand
{
    public RequestsCommand(Terminal terminal)
        : base("requests", "What people have approved and left to this workload: look at it, redeem it.")
    {
        Add(new RequestsListCommand(terminal));
        Add(new RequestsRedeemCommand(terminal));
    }
}
