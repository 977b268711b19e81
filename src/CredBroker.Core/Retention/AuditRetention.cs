using System.IO.Pipelines;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Retention;

/// <summary>
/// Moves what is older than the settings' time from the store into files. In this order, so that a process that dies
/// between any two steps leaves a log that the next run goes on from:
/// <list type="number">
/// <item>Write: the beginning of the log goes into a file, which is verified from the disk.</item>
/// <item>Commit: that it is archived, with its last record's hash, is an event of the log.</item>
/// <item>Delete: what the event names, a bounded batch at a time, after the file was verified again.</item>
/// </list>
/// </summary>
/// <remarks>
/// The log is cut at its beginning alone, and so never through a chain: what remains starts with the record after the
/// last archived one, which names its hash.
/// </remarks>
public sealed partial class AuditRetention(
    IBrokerStore store,
    IAuditLog log,
    AuditOptions options,
    ILogger<AuditRetention> logger
)
{
    /// <summary>How many records one commit deletes: others wait behind it.</summary>
    public const int BatchSize = 1_000;

    // One file a day, not one with each run.
    private static readonly TimeSpan LeastPeriod = TimeSpan.FromDays(1);

    /// <summary>One run. What goes wrong is logged, and nothing is deleted over it.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        if (options.KeepFor is not { } keepFor)
        {
            return;
        }

        try
        {
            if (options.DirectoryFault is { } fault)
            {
                LogNotArchived(logger, $"Audit:ArchiveTo is \"{options.ArchiveTo}\", {fault}", null);
                return;
            }

            var archived = await log.ArchivedAsync(cancellationToken);
            if (archived?.IsInStore == true && !await DeleteAsync(archived, cancellationToken))
            {
                return;
            }

            if (await ArchiveAsync(archived?.End, keepFor, cancellationToken) is { } newest)
            {
                Failpoint.Pass("archive-committed");
                await DeleteAsync(newest, cancellationToken);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StoreUnavailableException)
        {
            LogNotArchived(logger, e.Message, e);
        }
    }

    /// <summary>Writes what is old enough and commits that; null where nothing is, or where it did not succeed.</summary>
    private async ValueTask<AuditArchive?> ArchiveAsync(
        AuditPosition? after,
        TimeSpan keepFor,
        CancellationToken cancellationToken
    )
    {
        var cursor = after is null ? null : new AuditCursor(after.Stream, after.Sequence);
        var keptSince = store.Position.UtcNow - keepFor;
        if (
            await FirstAsync(cursor, cancellationToken) is not { } first
            || first.Time > keptSince - (keepFor < LeastPeriod ? keepFor : LeastPeriod)
            || await log.PrefixAsync(keptSince, cancellationToken) is not { } prefix
        )
        {
            return null;
        }

        // Named by its beginning: the next run finds what this one may leave, and names sort as the records do.
        var path = Path.Combine(options.ArchiveTo, $"credbroker-audit-{first.Stream}-{first.Sequence:d12}.jsonl");
        if (!File.Exists(path))
        {
            await WriteAsync(path, prefix, cursor, cancellationToken);
        }

        var verification = await VerifyAsync(path, [], cancellationToken);
        if (!verification.Holds || !verification.IsOneBeginning || !BeginsWith(verification, first))
        {
            LogNotArchived(logger, $"{path} exists and is not what it is named for. Move it away.", null);
            return null;
        }

        Failpoint.Pass("archive-written");
        var archive = new AuditArchive(
            verification.Streams[^1].Head,
            Path.GetFileName(path),
            verification.Records,
            verification.Latest!.Value
        );
        var outcome = await store.CommitAsync(
            new StateChange.AuditArchived
            {
                Archive = archive,
                Event = new()
                {
                    What = new AuditArchived { Archive = archive },
                    Actor = AuditActor.Broker("retention"),
                },
            },
            cancellationToken
        );
        if (outcome is CommitOutcome.Committed)
        {
            LogArchived(logger, archive.Records, path);
            return archive;
        }

        // The file is of another log than this one: that of a store that was restored from a backup since.
        LogNotArchived(logger, $"{path} does not hold what this store has up to its end. Move it away.", null);
        return null;
    }

    private async ValueTask<AuditRecordHeader?> FirstAsync(AuditCursor? after, CancellationToken cancellationToken)
    {
        await foreach (
            var record in log.ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, after, cancellationToken)
        )
        {
            return AuditRecordHeader.Read(record.Bytes.Span);
        }

        return null;
    }

    /// <summary>Writes the file, on disk and verified before it has its name.</summary>
    private async ValueTask WriteAsync(
        string path,
        AuditPrefix prefix,
        AuditCursor? after,
        CancellationToken cancellationToken
    )
    {
        var partial = path + ".partial";
        File.Delete(partial);
        try
        {
            await using (var file = OwnerOnlyFile.CreateNew(partial))
            {
                var pipe = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
                await new AuditExport(log).WriteAsync(pipe, null, prefix.Before, after, cancellationToken);
                await pipe.CompleteAsync();
                file.Flush(flushToDisk: true);
            }

            var verification = await VerifyAsync(partial, [prefix.End], cancellationToken);
            if (!verification.Holds || verification.Streams[^1].Head != prefix.End)
            {
                throw new IOException(
                    $"The log up to record {prefix.End} does not verify as an export: {verification.Fault?.What} "
                        + "Export it and see what audit verify says."
                );
            }

            File.Move(partial, path);
        }
        catch
        {
            // On a full disk, which may be the store's, it would keep what the broker needs.
            File.Delete(partial);
            throw;
        }

        using var named = OwnerOnlyFile.Continue(path);
        named.Flush(flushToDisk: true);
    }

    /// <summary>Deletes what the archive holds; false where its file does not verify, and so nothing was.</summary>
    private async ValueTask<bool> DeleteAsync(AuditArchive archive, CancellationToken cancellationToken)
    {
        var path = Path.Combine(options.ArchiveTo, archive.File);
        var verification = await VerifyAsync(path, [archive.End], cancellationToken);
        if (!verification.Holds || verification.Streams[^1].Head != archive.End)
        {
            LogNotArchived(logger, $"{path} does not verify: {verification.Fault?.What} Nothing is deleted.", null);
            return false;
        }

        var delete = new StateChange.ArchivedDeleted
        {
            End = archive.End,
            Limit = BatchSize,
            Event = null,
        };
        while (await store.CommitAsync(delete, cancellationToken) is CommitOutcome.Committed { Number: > 0 })
        {
            Failpoint.Pass("archive-half-deleted");
        }

        return true;
    }

    private static async ValueTask<AuditVerification> VerifyAsync(
        string path,
        IReadOnlyCollection<AuditPosition> expected,
        CancellationToken cancellationToken
    )
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return await AuditVerifier.VerifyAsync(file, expected, cancellationToken);
    }

    private static bool BeginsWith(AuditVerification verification, AuditRecordHeader first) =>
        verification.Streams is [{ Anchor: var anchor }, ..]
        && anchor.Stream == first.Stream
        && anchor.Sequence == first.Sequence - 1;

    [LoggerMessage(Level = LogLevel.Information, Message = "{Records} audit records were archived in {Path}.")]
    private static partial void LogArchived(ILogger logger, long records, string path);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Audit records that are old enough were not archived and deleted; they stay. {Fault}"
    )]
    private static partial void LogNotArchived(ILogger logger, string fault, Exception? exception);
}
