using System.IO.Pipelines;
using CredBroker.Core.Audit;
using CredBroker.Storage.Sql.Audit;

namespace CredBroker.Storage.Upkeep;

/// <summary>Verifies an audit log as <c>audit verify</c> does what <c>audit export</c> wrote, without a file between.</summary>
internal static class ChainCheck
{
    public static async Task<AuditVerification> VerifyAsync(SqlAuditReader audit, CancellationToken cancellationToken)
    {
        var pipe = new Pipe();
        var exporting = ExportAsync(new Log(audit), pipe.Writer, cancellationToken);
        try
        {
            await using var export = pipe.Reader.AsStream(leaveOpen: true);
            return await AuditVerifier.VerifyAsync(export, [], cancellationToken);
        }
        finally
        {
            // The verifier stops at the first fault: then there is no more to export.
            await pipe.Reader.CompleteAsync();
            await exporting;
        }
    }

    private static async Task ExportAsync(Log log, PipeWriter output, CancellationToken cancellationToken)
    {
        try
        {
            await new AuditExport(log).WriteAsync(output, null, null, null, cancellationToken);
            await output.CompleteAsync();
        }
        catch (Exception e)
        {
            // The reader throws it.
            await output.CompleteAsync(e);
        }
    }

    private sealed class Log(SqlAuditReader audit) : IAuditLog
    {
        public IAsyncEnumerable<AuditRecord> ReadAsync(
            DateTimeOffset from,
            DateTimeOffset to,
            AuditCursor? after,
            CancellationToken cancellationToken
        ) => audit.ReadAsync(from, to, after, cancellationToken);

        public ValueTask<AuditArchive?> ArchivedAsync(CancellationToken cancellationToken) =>
            audit.ArchivedAsync(cancellationToken);

        public ValueTask<AuditPrefix?> PrefixAsync(
            DateTimeOffset before,
            int limit,
            CancellationToken cancellationToken
        ) => audit.PrefixAsync(before, limit, cancellationToken);
    }
}
