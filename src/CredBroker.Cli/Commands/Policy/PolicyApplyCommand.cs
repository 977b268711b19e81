using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy apply</c>: a document becomes the next version.</summary>
internal sealed class PolicyApplyCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly PolicyChange _change = new();
    private readonly Argument<string> _file = new("FILE")
    {
        Description = "The policy document; the schemas that it names are read beside it",
    };

    public PolicyApplyCommand(Terminal terminal)
        : base(
            "apply",
            "Make a policy document the next version, where the broker's policy comes by the API (Policy:Source). Shows what "
                + "it would end first, and asks. Exit code 5 if the document has faults or --require-replay finds too much."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_file);
        _change.AddTo(this);
        _broker.AddForPeople(this);
        Add(Output.OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var document = await PolicyText.ReadAsync(parsed.GetRequiredValue(_file), cancellationToken);
        var schemas = document.Schemas.Count == 0 ? null : document.Schemas;
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var (policy, inForce) = await PolicyChange.InForceAsync(client, cancellationToken);
        if (policy?.Source == "file")
        {
            throw new CliException(
                ExitCodes.Refused,
                "This broker's policy comes from a file, and is not applied over the API.",
                ErrorCodes.Find("CB7022")?.NextStep ?? ""
            );
        }

        return await _change.RunAsync(
            parsed,
            _terminal,
            client,
            new() { Text = document.Text, Schemas = schemas },
            inForce,
            policy is null ? "Make it the policy in force?" : $"Make it the next version after {policy.Version}?",
            async () =>
                await client.ApplyPolicyAsync(
                    new() { Text = document.Text, Schemas = schemas },
                    inForce,
                    cancellationToken
                ),
            cancellationToken
        );
    }
}
