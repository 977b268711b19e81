using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Commands.Credentials;
using CredBroker.Cli.Login;
using CredBroker.Client;
using CredBroker.Core.State;

namespace CredBroker.Cli.Output;

/// <summary>Says what went wrong and what to do next, on standard error, and which exit code that is.</summary>
internal static class Failures
{
    private const string Usage = "usage";
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
        var failure = Of(exception, parsed);
        Tell(failure, parsed, terminal);
        return failure.ExitCode;
    }

    /// <summary>A command line that cannot be read.</summary>
    public static int Report(IReadOnlyList<string> faults, ParseResult parsed, Terminal terminal)
    {
        var isExec = parsed.CommandResult.Command is ExecCommand;
        var failure = new FailureOutput
        {
            Code = Usage,
            Message = faults[0],
            Next =
                (isExec ? "A command and its arguments come after --; the options: " : "")
                + $"{UsageFaults.Path(parsed.CommandResult)} --help",
            ExitCode = isExec ? ExitCodes.ExecFailed : ExitCodes.Usage,
            Faults = faults.Count > 1 ? faults : null,
        };
        Tell(failure, parsed, terminal);
        return failure.ExitCode;
    }

    public static void Tell(string message, string next, Terminal terminal)
    {
        terminal.Error.WriteLine($"credbroker: {Printable.Text(message)}");
        if (next.Length > 0)
        {
            terminal.Error.WriteLine($"Next: {Printable.Text(next)}");
        }
    }

    /// <summary>What kept a call, in the words of an error.</summary>
    public static string WordsOf(Exception exception) =>
        exception is HttpRequestException unreachable ? Reason(unreachable) : exception.Message;

    private static FailureOutput Of(Exception exception, ParseResult parsed)
    {
        if (exception is BrokerProblemException refused)
        {
            var (problem, exitCode) = (refused.Problem, ExitCodeOf(refused));
            return new()
            {
                Code = refused.Code ?? CodeOf(exitCode),
                Message = refused.Message,
                Next = NextOf(refused, parsed),
                ExitCode = exitCode,
                Status = refused.Status,
                RetryAfter = problem.RetryAfter,
                TraceId = problem.TraceId,
                DecisionId = problem.DecisionId,
                Faults = problem.Faults,
            };
        }

        if (exception is ApprovalRequiredException { Request: var asked })
        {
            return new()
            {
                Code = "approval-needed",
                Message = $"People have to approve this first: request {asked.ApprovalId}, until {asked.ExpiresAt:u}.",
                Next = "--wait-for-approval, with the same options, waits for them.",
                ExitCode = ExitCodes.Unavailable,
                ApprovalId = asked.ApprovalId,
                ExpiresAt = asked.ExpiresAt,
            };
        }

        var (code, message, next) = exception switch
        {
            CliException own => (own.ExitCode, own.Message, own.Next),
            TokenSourceException token => (
                token.IsTransient ? ExitCodes.Unavailable : ExitCodes.Usage,
                token.Message,
                token.NextStep
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
        return new()
        {
            Code = CodeOf(code),
            Message = message,
            Next = next.Length > 0 ? next : null,
            ExitCode = code,
        };
    }

    /// <summary>What kept the command, where the broker gave no code.</summary>
    private static string CodeOf(int exitCode) =>
        exitCode switch
        {
            ExitCodes.Usage => Usage,
            ExitCodes.Refused => "refused",
            ExitCodes.Unavailable => "unavailable",
            ExitCodes.FaultsFound => "faults-found",
            ExitCodes.Interrupted => "interrupted",
            ExitCodes.ExecFailed or ExitCodes.ExecNotRunnable or ExitCodes.ExecNotFound => "exec-failed",
            _ => "failed",
        };

    private static void Tell(FailureOutput failure, ParseResult parsed, Terminal terminal)
    {
        if (OutputOption.AsksForJson(parsed))
        {
            terminal.Error.WriteLine(JsonSerializer.Serialize(failure, CliJson.Default.FailureOutput));
            return;
        }

        // What stands first is the message; of a document's faults it is the summary.
        foreach (var fault in (failure.Faults ?? []).Where(fault => fault != failure.Message))
        {
            terminal.Error.WriteLine(Printable.Text(fault));
        }

        var next = failure.Next ?? "";
        Tell(failure.Message, failure.RetryAfter is { } seconds ? $"{next} (In {seconds} s.)" : next, terminal);
        if (failure.TraceId is { } trace)
        {
            terminal.Error.WriteLine($"Trace: {Printable.Text(trace)}");
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
