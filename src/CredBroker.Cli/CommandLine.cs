using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;
using CredBroker.Cli.Commands;
using CredBroker.Cli.Commands.Approvals;
using CredBroker.Cli.Commands.Audit;
using CredBroker.Cli.Commands.Catalogue;
using CredBroker.Cli.Commands.Credentials;
using CredBroker.Cli.Commands.Health;
using CredBroker.Cli.Commands.Holds;
using CredBroker.Cli.Commands.Leases;
using CredBroker.Cli.Commands.Login;
using CredBroker.Cli.Commands.Owners;
using CredBroker.Cli.Commands.Policy;
using CredBroker.Cli.Commands.Requests;
using CredBroker.Cli.Commands.Revocations;
using CredBroker.Cli.Commands.Store;
using CredBroker.Cli.Commands.Tasks;
using CredBroker.Cli.Commands.Vault;
using CredBroker.Cli.Output;

namespace CredBroker.Cli;

/// <summary>
/// The whole command line: parses, runs, and turns every failure into an exit code and words on standard error.
/// </summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(IReadOnlyList<string> args, Terminal terminal)
    {
        // "@name" stays what the user typed: it may be an argument of the command that exec runs.
        var parsed = Create(terminal).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is not HelpAction && UsageFaults.Of(parsed, args) is { Count: > 0 } faults)
        {
            return Failures.Report(faults, parsed, terminal);
        }

        using var interrupted = new CancellationTokenSource();
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var onTermination = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        try
        {
            return await parsed.InvokeAsync(
                new()
                {
                    Output = terminal.Out,
                    Error = terminal.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                },
                interrupted.Token
            );
        }
        catch (Exception exception) when (Failures.IsExpected(exception, interrupted.Token))
        {
            return Failures.Report(exception, parsed, terminal);
        }

        void Cancel(PosixSignalContext context)
        {
            context.Cancel = true;
            interrupted.Cancel();
        }
    }

    public static RootCommand Create(Terminal terminal)
    {
        var root = new RootCommand(
            $"""
            CredBroker hands AI agents the credential that one task needs, for as long as that task needs it, and takes it back.

            {ExitCodes.Help}
            """
        )
        {
            new ExchangeCommand(terminal),
            new ExecCommand(terminal),
            new RenewCommand(terminal),
            new ReleaseCommand(terminal),
            new OutcomeCommand(terminal),
            new TaskCommand(terminal),
            new RequestsCommand(terminal),
            new LoginCommand(terminal),
            new LogoutCommand(terminal),
            new WhoamiCommand(terminal),
            new CatalogueCommand(terminal),
            new LeasesCommand(terminal),
            new OrdersCommand(terminal),
            new QuarantineCommand(terminal),
            new HoldsCommand(terminal),
            new OwnersCommand(terminal),
            new ApprovalsCommand(terminal),
            new DenialsCommand(terminal),
            new AuditCommand(terminal),
            new PolicyCommand(terminal),
            new StoreCommand(terminal),
            new VaultCommand(terminal),
            new DoctorCommand(terminal),
            new CompletionCommand(terminal),
        };
        root.SetAction(GroupCommand.ShowHelp);
        return root;
    }
}
