namespace CredBroker.Cli.Commands.Audit;

/// <summary><c>credbroker audit</c>: the log for an auditor.</summary>
internal sealed class AuditCommand : GroupCommand
{
    public AuditCommand(Terminal terminal)
        : base("audit", "Export the audit log, verify an export offline, and show what happened.")
    {
        Add(new AuditExportCommand(terminal));
        Add(new AuditVerifyCommand(terminal));
        Add(new AuditShowCommand(terminal));
    }
}
