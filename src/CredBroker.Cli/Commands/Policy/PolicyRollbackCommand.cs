using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy rollback</c>: what an earlier version said is in force again.</summary>
internal sealed class PolicyRollbackCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly PolicyChange _change = new();
    private readonly Argument<long> _version = new("VERSION")
    {
        Description = "The number of the earlier version; credbroker policy versions lists them",
    };
    private readonly Option<string> _reason = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why; stands in the audit log and beside the new version",
        Required = true,
    };

    public PolicyRollbackCommand(Terminal terminal)
        : base(
            "rollback",
            "Make what an earlier version said the next version, wherever the policy comes from. A policy file that holds "
                + "what was taken back does not undo it; what is edited in it next is applied. Shows what it would end "
                + "first, and asks."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_version);
        Add(_reason);
        _change.AddTo(this);
        _broker.AddForPeople(this);
        Add(Output.OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var version = parsed.GetRequiredValue(_version);
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var (policy, inForce) = await PolicyChange.InForceAsync(client, cancellationToken);
        var earlier = await client.GetPolicyVersionAsync(version, cancellationToken);
        return await _change.RunAsync(
            parsed,
            _terminal,
            client,
            new() { Text = earlier.Text, Schemas = earlier.Schemas },
            inForce,
            policy is null ? $"Go back to version {version}?" : $"Go back from version {policy.Version} to {version}?",
            async () =>
                await client.RollBackPolicyAsync(
                    new() { Version = version, Reason = parsed.GetRequiredValue(_reason) },
                    inForce,
                    cancellationToken
                ),
            cancellationToken
        );
    }
}
