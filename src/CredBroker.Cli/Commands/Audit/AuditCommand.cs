namespace CredBroker.Cli.Commands.Audit;

/// <summary><c>credbroker audit</c>: the log for an auditor.</summary>
internal sealed class AuditCommand : GroupCommand
{
    public AuditCommand(Terminal terminal)
        : base("audit", "Export the audit log, and verify an export offline.")
    {
        Add(new AuditExportCommand(terminal));
        Add(new AuditVerifyCommand(terminal));
    }
}
