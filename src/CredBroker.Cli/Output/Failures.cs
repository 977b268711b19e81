using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text.Json;
using CredBroker.Cli.Commands.Credentials;
using CredBroker.Cli.Login;
using CredBroker.Client;
using CredBroker.Core.State;

namespace CredBroker.Cli.Output;

/// <summary>Says what went wrong and what to do next, on standard error, and which exit code that is.</summary>
internal static class Failures
{
    private const string NothingSelected = "CB7006";
    private const string CsrInvalid = "CB6009";

    /// <summary>What a command may end with; everything else is a defect and shows its stack trace.</summary>
    public static bool IsExpected(Exception exception, CancellationToken interrupted) =>
        exception
            is CliException
                or TokenSourceException
                or BrokerProblemException
                or ApprovalRequiredException
                or StoreUnavailableException
                or IssuerUnreachableException
                or HttpRequestException
                or IOException
                or UnauthorizedAccessException
        || (
            exception is OperationCanceledException
            && (interrupted.IsCancellationRequested || exception.InnerException is TimeoutException)
        );

    public static int Report(Exception exception, ParseResult parsed, Terminal terminal)
    {
        if (exception is BrokerProblemException refused)
        {
            Tell(refused, NextOf(refused, parsed), OutputOption.Of(parsed, terminal), terminal);
            return ExitCodeOf(refused);
        }

        var (code, message, next) = exception switch
        {
            CliException own => (own.ExitCode, own.Message, own.Next),
            TokenSourceException token => (
                token.IsTransient ? ExitCodes.Unavailable : ExitCodes.Usage,
                token.Message,
                token.NextStep
            ),
            ApprovalRequiredException { Request: var asked } => (
                ExitCodes.Unavailable,
                $"People have to approve this first: request {asked.ApprovalId}, until {asked.ExpiresAt:u}.",
                "--wait-for-approval, with the same options, waits for them."
            ),
            HttpRequestException unreachable => (
                ExitCodes.Unavailable,
                $"The broker cannot be reached: {Reason(unreachable)}",
                "Check --server and the network; \"credbroker doctor\" looks closer."
            ),
            IssuerUnreachableException issuer => (ExitCodes.Unavailable, issuer.Message, "Try again."),
            StoreUnavailableException store => (
                ExitCodes.Unavailable,
                store.Message,
                "Check that the store is the one you mean, and that no broker runs on it."
            ),
            OperationCanceledException { InnerException: TimeoutException } => (
                ExitCodes.Unavailable,
                "The broker did not answer in time.",
                "Try again; \"credbroker doctor\" looks closer."
            ),
            OperationCanceledException => (ExitCodes.Interrupted, "Interrupted.", ""),
            _ => (ExitCodes.Failed, exception.Message, "Check that the file exists and that you may use it."),
        };
        Tell(message, next, terminal);
        return code;
    }

    /// <summary>A command line that cannot be read.</summary>
    public static int Report(ParseResult parsed, Terminal terminal)
    {
        if (parsed.Action is ParseErrorAction action)
        {
            action.ShowHelp = false;
            parsed.Invoke(new() { Output = terminal.Error, Error = terminal.Error });
        }

        terminal.Error.WriteLine($"Next: {string.Join(' ', Path(parsed.CommandResult).Reverse())} --help");
        return parsed.CommandResult.Command is ExecCommand ? ExitCodes.ExecFailed : ExitCodes.Usage;

        static IEnumerable<string> Path(SymbolResult? result)
        {
            for (; result is CommandResult command; result = command.Parent)
            {
                yield return command.Parent is null ? "credbroker" : command.Command.Name;
            }
        }
    }

    public static void Tell(string message, string next, Terminal terminal)
    {
        terminal.Error.WriteLine($"credbroker: {Printable.Text(message)}");
        if (next.Length > 0)
        {
            terminal.Error.WriteLine($"Next: {Printable.Text(next)}");
        }
    }

    public static int ExitCodeOf(BrokerProblemException refused) =>
        refused.Status switch
        {
            // A name that selects nothing is a fault found, not a refusal: nobody was denied anything.
            404 when refused.Code == NothingSelected => ExitCodes.FaultsFound,
            401 or 403 or 404 or 409 or 412 or 422 => ExitCodes.Refused,
            429 or 502 or 503 or 504 => ExitCodes.Unavailable,
            400 or 413 or 415 or 428 => ExitCodes.Usage,
            _ => ExitCodes.Failed,
        };

    /// <summary>What a caller of this command line does next, who makes no certificate request by hand.</summary>
    private static string NextOf(BrokerProblemException refused, ParseResult parsed) =>
        refused.Code == CsrInvalid && parsed.CommandResult.Command is ExchangeCommand or ExecCommand
            ? "For a certificate add --new-key: the key is made here, and only its request is sent."
            : ErrorCodes.Find(refused.Code)?.NextStep ?? "\"credbroker doctor\" looks closer.";

    private static void Tell(BrokerProblemException refused, string next, OutputFormat format, Terminal terminal)
    {
        var problem = refused.Problem;
        if (format == OutputFormat.Json)
        {
            terminal.Error.WriteLine(JsonSerializer.Serialize(problem, BrokerJson.Default.ProblemResponse));
            return;
        }

        foreach (var fault in problem.Faults ?? [])
        {
            terminal.Error.WriteLine(Printable.Text(fault));
        }

        Tell(refused.Message, problem.RetryAfter is { } seconds ? $"{next} (In {seconds} s.)" : next, terminal);
        if (problem.TraceId is { } trace)
        {
            terminal.Error.WriteLine($"Trace: {Printable.Text(trace)}");
        }
    }

    private static string Reason(HttpRequestException exception) =>
        exception switch
        {
            { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: { } inner }
                when inner.Message.Contains("frame", StringComparison.OrdinalIgnoreCase) =>
                "what listens there does not speak TLS. If it is the broker, its address begins with http://, which "
                    + "only this machine's may.",
            { HttpRequestError: HttpRequestError.ResponseEnded } =>
                "the connection was closed without an answer. If it listens for TLS, its address begins with https://.",
            _ => (exception.InnerException ?? exception).Message.TrimEnd('.') + ".",
        };
}
