using System.CommandLine;
using CredBroker.Cli.Commands.Credentials;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Requests;

/// <summary><c>credbroker requests redeem</c>: an executor takes the secret that people have approved.</summary>
internal sealed class RequestsRedeemCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Argument<string> _request = new("REQUEST")
    {
        Description = "The request's id, or how it begins",
        Validators = { KnownIds.Check },
    };
    private readonly Option<bool> _newKey = new("--new-key")
    {
        Description = "For a certificate: make an EC P-256 key here and send a certificate request",
    };

    public RequestsRedeemCommand(Terminal terminal)
        : base(
            "redeem",
            "Redeem one approved request by this workload's own proof, and print the secret. It works once."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_request);
        Add(_newKey);
        _broker.AddForAgents(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsAgent(parsed);
        var agent = new AgentClient(connection);
        var left = await RequestsListCommand.ReadAsync(agent, cancellationToken);
        var id = await ShortIds.WholeAsync(
            parsed.GetRequiredValue(_request),
            "request",
            "credbroker requests list",
            _ => ValueTask.FromResult(left.Select(request => request.Approval.ApprovalId))
        );
        var found =
            left.FirstOrDefault(request => request.Approval.ApprovalId == id)
            ?? throw CliException.Usage(
                "No approved request with this id is left to this workload.",
                "See what is: credbroker requests list"
            );
        using var key = parsed.GetValue(_newKey) ? CertificateKey.Create() : null;
        var reply = await agent.ExchangeAsync(found.Body with { Csr = key?.CreateRequest() }, cancellationToken);
        if (key is not null && reply.Secret is CertificateSecret certificate)
        {
            reply = reply with { Secret = certificate with { PrivateKey = key.ToPem() } };
        }

        return ExchangeCommand.Write(reply, format, _terminal);
    }
}
