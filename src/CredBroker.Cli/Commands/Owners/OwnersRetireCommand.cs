using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Owners;

/// <summary><c>credbroker owners retire</c>: an owner is gone.</summary>
internal sealed class OwnersRetireCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly OwnerArguments _owner = new();

    public OwnersRetireCommand(Terminal terminal)
        : base("retire", "An owner is gone: their processes are constrained at once.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _owner.AddTo(this);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var gone = await new AdminClient(connection).RetireOwnerAsync(_owner.Of(parsed), cancellationToken);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(gone, BrokerJson.Default.RetireOwnerResponse));
            return ExitCodes.Done;
        }

        if (gone.Leases.Count > 0)
        {
            Grid.Write(
                _terminal,
                format,
                [Column.Id("Lease"), "State", "Process", "Credential", "Ends"],
                [
                    .. gone.Leases.Select(lease =>
                        new[]
                        {
                            lease.LeaseId,
                            lease.State,
                            lease.Task.Process,
                            lease.Credential,
                            TimeText.Short(lease.ExpiresAt, format, _terminal.Time),
                        }
                    ),
                ]
            );
        }

        _terminal.Error.WriteLine(Say(gone));
        return ExitCodes.Done;
    }

    private static string Say(RetireOwnerResponse gone)
    {
        if (gone.AlreadyGone == true)
        {
            var again =
                gone.Revocations.Count > 0
                    ? $" Ordered to revoke what was still held: {string.Join(' ', gone.Revocations)}."
                    : "";
            return $"On record as gone already.{again} What was ordered then stands; what is still held, credbroker leases list says.";
        }

        if (gone.Owner.Processes.Count == 0)
        {
            return "Gone. No process of the policy in force names them as owner.";
        }

        var more = gone.More == true ? " There are more leases than these." : "";
        var revoked =
            gone.Revocations.Count > 0
                ? $" Ordered to revoke: {string.Join(' ', gone.Revocations)}."
                : " What their agents hold is as it was; revoke it, or let it run out.";
        return $"Constrained from now on: {string.Join(' ', gone.Owner.Processes)}.{revoked}{more} "
            + "Name another owner in the policy.";
    }
}
