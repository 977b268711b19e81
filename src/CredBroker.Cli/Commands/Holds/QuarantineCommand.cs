using System.CommandLine;
using CredBroker.Cli.Commands.Revocations;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Holds;

/// <summary>
/// <c>credbroker quarantine</c>: takes every secret back and refuses new ones, in one commit, and shows it until Vault has
/// confirmed every lease.
/// </summary>
internal sealed class QuarantineCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly HoldOptions _hold = new();
    private readonly Option<TimeSpan?> _wait = RevocationWatch.WaitOption();

    public QuarantineCommand(Terminal terminal)
        : base(
            "quarantine",
            "Take secrets back and refuse new ones, by any of the selectors below, which must all hold."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _hold.AddTo(this);
        Add(_wait);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        var request = Order(_hold.Read(parsed));
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection, _terminal.Time);
        var accepted = await client.RevokeAsync(request, cancellationToken);
        _terminal.Error.WriteLine(
            $"Held by {accepted.HoldId} and ordered: {accepted.RevocationId}. It is carried out even if you stop watching."
        );
        var progress = await new RevocationWatch(client, _terminal).UntilCompleteAsync(
            accepted.RevocationId,
            parsed.GetRequiredValue(_wait)!.Value,
            cancellationToken
        );
        _terminal.Error.WriteLine($"To issue again: credbroker holds lift {accepted.HoldId} --reason TEXT");
        return RevocationReport.Tell(_terminal, accepted.RevocationId, progress, format, accepted.HoldId);
    }

    private static RevocationRequest Order(HoldRequest held) =>
        new()
        {
            Agent = held.Agent,
            Workload = held.Workload,
            Instance = held.Instance,
            Subject = held.Subject,
            Task = held.Task,
            Process = held.Process,
            Credential = held.Credential,
            Owner = held.Owner,
            Issuer = held.Issuer,
            TrustDomain = held.TrustDomain,
            Everything = held.Everything,
            Confirm = held.Confirm,
            AllowNone = held.AllowNone,
            Reason = held.Reason,
            Hold = held.For is { } lasts ? WireDuration.Format(lasts) : RevocationRequest.UntilLifted,
        };
}
