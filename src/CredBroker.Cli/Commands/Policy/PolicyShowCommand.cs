using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy show</c>: the text of a version.</summary>
internal sealed class PolicyShowCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Argument<long?> _version = new("VERSION")
    {
        Description = "Its number; the one in force if left out",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public PolicyShowCommand(Terminal terminal)
        : base("show", "Print the policy in force, or an earlier version of it.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_version);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var policy = parsed.GetValue(_version) is { } version
            ? await client.GetPolicyVersionAsync(version, cancellationToken)
            : await client.GetPolicyAsync(cancellationToken);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(policy, BrokerJson.Default.PolicyResponse));
            return ExitCodes.Done;
        }

        _terminal.Out.WriteLine(
            string.Join('\n', policy.Text.TrimEnd().Split('\n').Select(line => Printable.Text(line.TrimEnd('\r'))))
        );
        _terminal.Error.WriteLine(
            $"Version {policy.Version}, applied {TimeText.Rfc3339(policy.AppliedAt)}, {policy.Hash}"
        );
        _terminal.Error.WriteLine(
            policy.Author is { } author
                ? $"Applied by {Printable.Text(author.Subject)} of {Printable.Text(author.Issuer)}."
                : "It came from the broker's policy file; who wrote that is not known."
        );
        if (policy.Restores is { } restored)
        {
            _terminal.Error.WriteLine(
                $"Back from version {policy.Parent} to what version {restored} said: {Printable.Text(policy.Reason ?? "")}"
            );
        }
        else if (policy.Parent is { } parent)
        {
            _terminal.Error.WriteLine($"It followed version {parent}.");
        }

        if (policy.RefusedSince is { } since)
        {
            _terminal.Error.WriteLine(
                $"The policy file is not in force, as seen since {TimeText.Rfc3339(since)}; version {policy.Version} stays."
            );
        }

        foreach (var fault in policy.RefusedEdit ?? [])
        {
            _terminal.Error.WriteLine($"A newer edit is refused: {Printable.Text(fault)}");
        }

        return ExitCodes.Done;
    }
}
