using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Runtime.InteropServices;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Exec;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Credentials;

/// <summary>
/// <c>credbroker exec</c>: runs a command with a secret in its environment, and gives the secret back when the command
/// ends. It wraps the tool that needs the secret, not the agent that calls it.
/// </summary>
internal sealed class ExecCommand : Command
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);

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
    private readonly Option<bool> _wait = new("--wait-for-approval")
    {
        Description = "Where people have to approve it, wait for them instead of ending",
    };
    private readonly Option<bool> _stopAtExpiry = new("--stop-at-expiry")
    {
        Description = "End the command (SIGTERM, and SIGKILL 10 s later) when its secret ends and was not renewed",
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
        Add(_wait);
        Add(_stopAtExpiry);
        _broker.AddForAgents(this);
        Add(_command);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken interrupted)
    {
        var line = Line(parsed);
        var executable = Executable.Find(line[0], _terminal.Variable);
        using var key = parsed.GetValue(_request.NewKey) ? CertificateKey.Create() : null;
        using var signals = new SignalRelay();
        BrokerConnection? connection = null;
        CredentialLease? lease = null;
        try
        {
            connection = _broker.ConnectAsAgent(parsed);

            // Not cancelled by Ctrl-C: the secret may exist already, and only its lease id releases it. The
            // connection's own timeout bounds the wait.
            lease = await AcquireAsync(new(connection, _terminal.Time), parsed, key, signals);
            if (signals.EarlyExitCode is { } early)
            {
                return early;
            }

            using var child = ChildProcess.Start(
                executable,
                line[1..],
                Environment(parsed, lease.GetSecret<SecretResponse>(), key),
                connection.TokenSource.Variables
            );
            signals.Attach(child);
            using var ending = lease.Ending.Register(() => TellEnding(lease));
            using var exited = new CancellationTokenSource();
            var stopping = parsed.GetValue(_stopAtExpiry)
                ? StopAtExpiryAsync(lease, child, exited.Token)
                : Task.CompletedTask;
            await child.WaitForExitAsync(CancellationToken.None);
            await exited.CancelAsync();
            await stopping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return child.ExitCode;
        }
        catch (OperationCanceledException) when (lease is null && signals.EarlyExitCode is not null)
        {
            return signals.EarlyExitCode.Value;
        }
        catch (Exception exception) when (Failures.IsExpected(exception, interrupted))
        {
            var code = Failures.Report(exception, parsed, _terminal);
            return code is ExitCodes.ExecNotRunnable or ExitCodes.ExecNotFound ? code : ExitCodes.ExecFailed;
        }
        finally
        {
            if (lease is not null)
            {
                await ReleaseAsync(lease);
            }

            connection?.Dispose();
        }
    }

    /// <summary>
    /// The command and its arguments. What stands before <c>--</c> is ours: an option with a typing slip must not become
    /// the command, or a part of it.
    /// </summary>
    private string[] Line(ParseResult parsed)
    {
        var line = parsed.GetRequiredValue(_command);
        var own = parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).Count();
        return parsed.Tokens.Count - own - 1 == line.Length
            ? line
            : throw new CliException(
                ExitCodes.ExecFailed,
                $"\"{line[0]}\" is no option of exec, and a command comes after --.",
                "credbroker exec CREDENTIAL --process … -- CMD ARG …; the options: credbroker exec --help"
            );
    }

    /// <summary>Ends the child once its secret has ended; a renewal that comes after all moves that.</summary>
    private async Task StopAtExpiryAsync(CredentialLease lease, Process child, CancellationToken exited)
    {
        while (lease.ExpiresAt - _terminal.Time.GetUtcNow() is { Ticks: > 0 } left)
        {
            await Task.Delay(left, _terminal.Time, exited);
        }

        Failures.Tell("The secret of this command has ended: it is told to stop.", "", _terminal);
        SignalRelay.Send(child, PosixSignal.SIGTERM);
        await Task.Delay(StopPatience, _terminal.Time, exited);
        child.Kill(entireProcessTree: true);
    }

    private async Task<CredentialLease> AcquireAsync(
        AgentClient agent,
        ParseResult parsed,
        CertificateKey? key,
        SignalRelay signals
    )
    {
        var request = _request.Build(parsed, key);
        try
        {
            return await agent.AcquireAsync(request, cancellationToken: CancellationToken.None);
        }
        catch (ApprovalRequiredException required) when (parsed.GetValue(_wait))
        {
            var asked = required.Request;
            _terminal.Error.WriteLine(
                $"Waiting for people to approve request {asked.ApprovalId}, until {TimeText.Rfc3339(asked.ExpiresAt)}."
            );
            // Nothing is issued yet: a signal ends this wait, unlike what follows it.
            await WaitAsync(agent, asked, signals.Early);
            signals.Early.ThrowIfCancellationRequested();
            return await agent.AcquireAsync(
                request with
                {
                    ApprovalId = asked.ApprovalId,
                },
                // What people agreed to is not renewed.
                new() { Renew = false },
                CancellationToken.None
            );
        }
    }

    /// <summary>Until people have decided; what breaks off meanwhile is no answer.</summary>
    private async Task WaitAsync(AgentClient agent, ApprovalRequestResponse asked, CancellationToken interrupted)
    {
        while (true)
        {
            try
            {
                await agent.WaitForApprovalAsync(asked.ApprovalId, interrupted);
                return;
            }
            catch (Exception e) when (Watch.IsPassing(e) && _terminal.Time.GetUtcNow() < asked.ExpiresAt)
            {
                _terminal.Error.WriteLine($"The wait broke off; it goes on. {Printable.Text(e.Message)}");
            }

            await Task.Delay(Pause, _terminal.Time, interrupted);
        }
    }

    private ChildEnvironment Environment(ParseResult parsed, SecretResponse secret, CertificateKey? key)
    {
        if (secret is CertificateSecret { PrivateKey: null } certificate && key is not null)
        {
            secret = certificate with { PrivateKey = key.ToPem() };
        }

        return parsed.GetRequiredValue(_style) == "postgres"
            ? ChildEnvironment.Postgres(secret)
            : ChildEnvironment.Prefixed(secret, parsed.GetRequiredValue(_prefix), _terminal.Variable);
    }

    /// <summary>The command goes on: only it knows what the end of its secret means to it.</summary>
    private void TellEnding(CredentialLease lease) =>
        Failures.Tell(
            $"The secret of this command ends at {TimeText.Rfc3339(lease.ExpiresAt)} and was not renewed{(lease.RenewalFailure is { } failure ? $": {failure.Message}" : " yet.")}",
            "",
            _terminal
        );

    /// <summary>Quiet when all is well: what is on standard error belongs to the command.</summary>
    private async Task ReleaseAsync(CredentialLease lease)
    {
        await lease.DisposeAsync();
        if (lease.Release is { State: LeaseStates.Revoking } release)
        {
            ReleaseCommand.Tell(release, _terminal);
        }

        if (lease.ReleaseFailure is { } failure)
        {
            Failures.Tell(
                $"The secret of lease {lease.LeaseId} could not be released: {failure.Message}",
                $"It ends by itself at {TimeText.Rfc3339(lease.ExpiresAt)}; sooner with: credbroker release {lease.LeaseId}",
                _terminal
            );
        }
    }
}
