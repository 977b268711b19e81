using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Exec;
using CredBroker.Cli.Keys;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands;

/// <summary>
/// <c>credbroker exec</c>: runs a command with a secret in its environment, and gives the secret back when the command
/// ends. It wraps the tool that needs the secret, not the agent that calls it.
/// </summary>
internal sealed class ExecCommand : Command
{
    private static readonly TimeSpan ReleaseTimeout = TimeSpan.FromSeconds(20);

    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly RequestOptions _request = new();
    private readonly Option<string> _style = new("--as")
    {
        HelpName = "STYLE",
        Description =
            "postgres (PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD, PGSSLMODE) "
            + "or env (one variable for each member)",
        DefaultValueFactory = _ => "env",
    };
    private readonly Option<string> _prefix = new("--prefix")
    {
        HelpName = "TEXT",
        Description = "How the variables of --as env begin",
        DefaultValueFactory = _ => "SECRET_",
    };
    private readonly Argument<string[]> _command = new("CMD")
    {
        Description = "The command and its arguments, after --",
        Arity = ArgumentArity.OneOrMore,
    };

    public ExecCommand(Terminal terminal)
        : base(
            "exec",
            "Run a command with a short-lived secret in its environment and nowhere else; "
                + "it is released when the command ends, also by Ctrl-C or SIGTERM."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _style.AcceptOnlyFromAmong("postgres", "env");
        _request.AddTo(this);
        Add(_style);
        Add(_prefix);
        _broker.AddForAgents(this);
        Add(_command);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken interrupted)
    {
        var line = parsed.GetRequiredValue(_command);
        var executable = Executable.Find(line[0], _terminal.Variable);
        using var key = parsed.GetValue(_request.NewKey) ? CertificateKey.Create() : null;
        using var signals = new SignalRelay();
        BrokerSession? session = null;
        ExchangeResponse? reply = null;
        try
        {
            session = _broker.ConnectAsAgent(parsed);

            // Not cancelled by Ctrl-C: the secret may exist already, and only its lease id releases it. The
            // connection's own timeout bounds the wait.
            reply = await session.Client.ExchangeAsync(_request.Build(parsed, key), CancellationToken.None);
            if (signals.EarlyExitCode is { } early)
            {
                return early;
            }

            using var child = ChildProcess.Start(
                executable,
                line[1..],
                Environment(parsed, reply, key),
                session.Token.Variables
            );
            signals.Attach(child);
            using var ended = new CancellationTokenSource();
            var renewal = new Renewal(session.Client, reply, _terminal).RunAsync(ended.Token);
            await child.WaitForExitAsync(CancellationToken.None);
            await ended.CancelAsync();
            await renewal;
            return child.ExitCode;
        }
        catch (Exception exception) when (Failures.IsExpected(exception, interrupted))
        {
            var code = Failures.Report(exception, parsed, _terminal);
            return code is ExitCodes.ExecNotRunnable or ExitCodes.ExecNotFound ? code : ExitCodes.ExecFailed;
        }
        finally
        {
            if (reply is not null)
            {
                await ReleaseAsync(session!, reply);
            }

            session?.Dispose();
        }
    }

    private ChildEnvironment Environment(ParseResult parsed, ExchangeResponse reply, CertificateKey? key)
    {
        var secret =
            reply.Secret is CertificateSecret { PrivateKey: null } certificate && key is not null
                ? certificate with
                {
                    PrivateKey = key.ToPem(),
                }
                : reply.Secret;
        return parsed.GetRequiredValue(_style) == "postgres"
            ? ChildEnvironment.Postgres(secret)
            : ChildEnvironment.Prefixed(secret, parsed.GetRequiredValue(_prefix), _terminal.Variable);
    }

    /// <summary>Quiet when all is well: what is on standard error belongs to the command.</summary>
    private async Task ReleaseAsync(BrokerSession session, ExchangeResponse reply)
    {
        using var timeout = new CancellationTokenSource(ReleaseTimeout, _terminal.Time);
        try
        {
            var release = await session.Client.ReleaseAsync(reply.LeaseId, timeout.Token);
            if (release.State == LeaseStates.Revoking)
            {
                ReleaseCommand.Tell(release, _terminal);
            }
        }
        catch (Exception exception)
            when (exception is OperationCanceledException || Failures.IsExpected(exception, timeout.Token))
        {
            Failures.Tell(
                $"The secret of lease {reply.LeaseId} could not be released: {exception.Message}",
                $"It ends by itself at {Moment.Exact(reply.ExpiresAt)}; "
                    + $"sooner with: credbroker release {reply.LeaseId}",
                _terminal
            );
        }
    }
}
