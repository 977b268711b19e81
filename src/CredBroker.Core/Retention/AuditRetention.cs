using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.State;
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
/// A file, and the name that its directory has for it, are on disk before anything is committed or deleted over it.
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

    /// <summary>How many records one archive has, so that a long log needs no more disk at once than that.</summary>
    internal int MaxRecords { get; init; } = 100_000;

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

            while (await ArchiveAsync(archived?.End, keepFor, cancellationToken) is { } newest)
            {
                Failpoint.Pass("archive-committed");
                if (!await DeleteAsync(newest, cancellationToken))
                {
                    return;
                }

                archived = newest;
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
            await FirstAsync(cursor, cancellationToken) is not var (first, _)
            || first.Time > keptSince - (keepFor < LeastPeriod ? keepFor : LeastPeriod)
            || await log.PrefixAsync(keptSince, MaxRecords, cancellationToken) is not { } prefix
        )
        {
            return null;
        }

        // Named by its beginning: the next run finds what this one may leave, and names sort as the records do.
        var path = PathOf(first);
        if (!File.Exists(path))
        {
            await WriteAsync(first, prefix, cursor, cancellationToken);
        }

        var verification = await VerifyAsync(path, [], cancellationToken);
        if (!verification.Holds || !verification.IsOneBeginning || !BeginsWith(verification, first))
        {
            LogNotArchived(logger, $"{path} exists and is not what it is named for. Move it away.", null);
            return null;
        }

        PutOnDisk(path);
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

    /// <summary>The first record after the cursor, and the record before it; null where there is none.</summary>
    private async ValueTask<(AuditRecordHeader Header, AuditCursor? Before)?> FirstAsync(
        AuditCursor? after,
        CancellationToken cancellationToken
    )
    {
        await foreach (
            var record in log.ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, after, cancellationToken)
        )
        {
            var before =
                record.Sequence > 1
                    ? new AuditPosition(record.Stream, record.Sequence - 1, record.Previous)
                    : StreamPredecessor.Read(record.Bytes.Span)?.Head;
            return AuditRecordHeader.Read(record.Bytes.Span) is { } header
                ? (header, before is null ? null : new AuditCursor(before.Stream, before.Sequence))
                : null;
        }

        return null;
    }

    /// <summary>Deletes what the archive holds; false where no file that verifies has it, and so nothing was.</summary>
    private async ValueTask<bool> DeleteAsync(AuditArchive archive, CancellationToken cancellationToken)
    {
        var path = Path.Combine(options.ArchiveTo, archive.File);
        if (
            await FaultOfAsync(path, archive.End, file => file.Records == archive.Records, cancellationToken) is
            { } fault
        )
        {
            if (await WriteAgainAsync(archive, path, fault, cancellationToken) is not { } again)
            {
                return false;
            }

            path = again;
        }

        PutOnDisk(path);
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
