namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy</c>: checks, tries and applies a policy document.</summary>
internal sealed class PolicyCommand : GroupCommand
{
    public PolicyCommand(Terminal terminal)
        : base(
            "policy",
            "Check a policy document, try requests on it, see what it would change, apply it, and go back."
        )
    {
        Add(new PolicyLintCommand(terminal));
        Add(new PolicyEvaluateCommand(terminal));
        Add(new PolicyTestCommand(terminal));
        Add(new PolicyReferenceCommand(terminal));
        Add(new PolicySchemaCommand(terminal));
        Add(new PolicyVersionsCommand(terminal));
        Add(new PolicyShowCommand(terminal));
        Add(new PolicyDiffCommand(terminal));
        Add(new PolicyReplayCommand(terminal));
        Add(new PolicyApplyCommand(terminal));
        Add(new PolicyRollbackCommand(terminal));
    }
}
