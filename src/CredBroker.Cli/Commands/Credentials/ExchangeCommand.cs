using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Credentials;

/// <summary><c>credbroker exchange</c>: the identity token for a secret, written to standard output.</summary>
internal sealed class ExchangeCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly RequestOptions _request = new();
    private readonly Option<string?> _csrKey = new("--csr-key")
    {
        HelpName = "FILE",
        Description = "For a certificate: your private key (PEM); it stays here",
    };
    private readonly Option<string?> _keyOut = new("--key-out")
    {
        HelpName = "FILE",
        Description = "For a certificate: make a key and write it here (only you can read it); implies --new-key",
    };
    private readonly Option<string?> _certOut = new("--cert-out")
    {
        HelpName = "FILE",
        Description = "Write the certificate and its chain here",
    };
    private readonly Option<string?> _idempotencyKey = new("--idempotency-key")
    {
        HelpName = "KEY",
        Description = "Makes repeating the same request safe for 24 hours",
    };

    private readonly Option<bool> _wait = new("--wait-for-approval")
    {
        Description = "Where people have to approve it, wait for them instead of ending",
    };

    public ExchangeCommand(Terminal terminal)
        : base(
            "exchange",
            "Exchange the workload's identity token for a short-lived secret, and print it. "
                + "To give it to a command instead, use exec."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _request.AddTo(this);
        Add(_csrKey);
        Add(_keyOut);
        Add(_certOut);
        Add(_idempotencyKey);
        Add(_wait);
        _broker.AddForAgents(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var key = Key(parsed);
        using var keyFile = parsed.GetValue(_keyOut) is { } keyPath ? PrivateFile.Create(keyPath) : null;
        using var certFile = parsed.GetValue(_certOut) is { } certPath ? PrivateFile.Create(certPath) : null;
        using var connection = _broker.ConnectAsAgent(parsed);

        var (agent, request) = (
            new AgentClient(connection),
            _request.Build(parsed, key) with
            {
                IdempotencyKey = parsed.GetValue(_idempotencyKey),
            }
        );
        var reply = parsed.GetValue(_wait)
            ? await agent.ExchangeWhenApprovedAsync(request, asked => TellWaiting(asked, format), cancellationToken)
            : await agent.ExchangeAsync(request, cancellationToken);
        if (reply.Secret is CertificateSecret certificate)
        {
            reply = reply with
            {
                Secret = Deliver(certificate, parsed.GetValue(_request.NewKey) ? key : null, keyFile, key, certFile),
            };
        }

        return Write(reply, format, _terminal);
    }

    /// <summary>The secret on standard output, and what to do with its lease beside it.</summary>
    public static int Write(ExchangeResponse reply, OutputFormat format, Terminal terminal)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(reply, BrokerJson.Default.ExchangeResponse));
            return ExitCodes.Done;
        }

        SecretLines.Write(reply.Secret, terminal);
        terminal.Error.WriteLine(
            $"Lease {reply.LeaseId} ends {TimeText.Full(reply.ExpiresAt, format, terminal.Time)}{(reply.TtlCut == true ? ", less than you asked for" : "")}. "
                + $"Give it back with: credbroker release {reply.LeaseId}"
        );
        return ExitCodes.Done;
    }

    private void TellWaiting(ApprovalRequestResponse asked, OutputFormat format) =>
        _terminal.Error.WriteLine(
            $"Waiting for people to approve request {asked.ApprovalId}, until "
                + $"{TimeText.Full(asked.ExpiresAt, format, _terminal.Time)}."
        );

    private CertificateKey? Key(ParseResult parsed)
    {
        var (existing, made) = (
            parsed.GetValue(_csrKey),
            parsed.GetValue(_request.NewKey) || parsed.GetValue(_keyOut) is not null
        );
        return (existing, made) switch
        {
            (not null, true) => throw CliException.Usage(
                "--csr-key brings a key, --new-key and --key-out make one.",
                "Use one of them."
            ),
            (not null, false) => CertificateKey.Load(existing),
            (null, true) => CertificateKey.Create(),
            _ => null,
        };
    }

    /// <summary>
    /// Files get what was meant for them; what is left is printed. A new key without a file travels beside its
    /// certificate.
    /// </summary>
    private static CertificateSecret Deliver(
        CertificateSecret secret,
        CertificateKey? made,
        PrivateFile? keyFile,
        CertificateKey? key,
        PrivateFile? certFile
    )
    {
        certFile?.Write(
            string.Join('\n', [secret.Certificate.TrimEnd(), .. secret.Chain.Select(issuer => issuer.TrimEnd())])
        );
        if (keyFile is null)
        {
            return made is null ? secret : secret with { PrivateKey = made.ToPem() };
        }

        keyFile.Write(secret.PrivateKey ?? key!.ToPem());
        return secret with { PrivateKey = null };
    }
}
