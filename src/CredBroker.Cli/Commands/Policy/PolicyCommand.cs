namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy</c>: checks and tries a policy document.</summary>
internal sealed class PolicyCommand : GroupCommand
{
    public PolicyCommand(Terminal terminal)
        : base("policy", "Check a policy document, and try requests on it.")
    {
        Add(new PolicyLintCommand(terminal));
        Add(new PolicyEvaluateCommand(terminal));
        Add(new PolicySchemaCommand(terminal));
    }
}
