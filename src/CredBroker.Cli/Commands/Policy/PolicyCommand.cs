namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy</c>: checks and tries a policy document.</summary>
internal sealed class PolicyCommand : GroupCommand
{
    public PolicyCommand(Terminal terminal)
        : base("policy", "Check a policy document, try requests on it, and see what was applied and what would change.")
    {
        Add(new PolicyLintCommand(terminal));
        Add(new PolicyEvaluateCommand(terminal));
        Add(new PolicyTestCommand(terminal));
        Add(new PolicySchemaCommand(terminal));
        Add(new PolicyVersionsCommand(terminal));
        Add(new PolicyShowCommand(terminal));
        Add(new PolicyDiffCommand(terminal));
    }
}
