using System.Globalization;
using System.IO.Pipelines;
using CredBroker.Core.Audit;
using CredBroker.Core.Text;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Retention;

/// <summary>The archives' files: written, verified from the disk, and written again where one is damaged.</summary>
public sealed partial class AuditRetention
{
    // What an archive leaves free: the store may be on the same disk, and the broker needs some to go on issuing.
    private const long LeastFree = 64L << 20;

    // Puts the directory's entries on disk.
    internal Action<string> FlushFolder { get; init; } = OwnFolder.Flush;

    private string PathOf(AuditRecordHeader first) =>
        Path.Combine(options.ArchiveTo, $"credbroker-audit-{first.Stream}-{first.Sequence:d12}.jsonl");

    /// <summary>Writes the file, on disk and verified before it has its name.</summary>
    private async ValueTask WriteAsync(
        AuditRecordHeader first,
        AuditPrefix prefix,
        AuditCursor? after,
        CancellationToken cancellationToken
    )
    {
        var path = PathOf(first);
        var free = new DriveInfo(options.ArchiveTo).AvailableFreeSpace;
        if (free < prefix.Bytes + LeastFree)
        {
            throw new IOException(
                $"Audit:ArchiveTo has {Megabytes(free)} MB free; the next archive needs {Megabytes(prefix.Bytes)} MB, and "
                    + $"{Megabytes(LeastFree)} MB stay free. Make room there."
            );
        }

        var partial = path + ".partial";
        File.Delete(partial);
        try
        {
            await using (var file = OwnerOnlyFile.CreateNew(partial))
            {
                var pipe = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
                await new AuditExport(log) { ReachesBack = true }.WriteAsync(
                    pipe,
                    null,
                    prefix.Before,
                    after,
                    cancellationToken
                );
                await pipe.CompleteAsync();
                file.Flush(flushToDisk: true);
            }

            if (
                await FaultOfAsync(partial, prefix.End, file => BeginsWith(file, first), cancellationToken) is { } fault
            )
            {
                throw new IOException(
                    $"The log up to record {prefix.End} does not verify as an export: {fault} "
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
    }

    /// <summary>
    /// Writes what the store still has of an archive whose file does not verify, so that no damaged file keeps the log
    /// from being cut for ever: under the file's own name if that is all of it, and else under the name of where it
    /// begins. Nothing is overwritten: what bears that name is kept under another. Null where it did not succeed.
    /// </summary>
    private async ValueTask<string?> WriteAgainAsync(
        AuditArchive archive,
        string damaged,
        string fault,
        CancellationToken cancellationToken
    )
    {
        var until = archive.Latest + TimeSpan.FromMilliseconds(1);
        if (
            await FirstAsync(null, cancellationToken) is not var (first, before)
            || await log.PrefixAsync(until, int.MaxValue, cancellationToken) is not { } prefix
            || prefix.End != archive.End
        )
        {
            LogNotArchived(
                logger,
                $"{damaged} does not verify: {fault} It cannot be written again from the store, whose clock was set back into "
                    + "its time since: put it back from a copy.",
                null
            );
            return null;
        }

        var path = PathOf(first);
        if (
            path == damaged
            || await FaultOfAsync(path, archive.End, file => BeginsWith(file, first), cancellationToken) is not null
        )
        {
            var kept = SetAside(path);
            await WriteAsync(first, prefix, before, cancellationToken);
            LogWrittenAgain(logger, damaged, fault, path, kept ?? "(there was none)");
        }

        if (path != damaged)
        {
            LogLost(logger, damaged, fault, path);
        }

        return path;
    }

    private static string? SetAside(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        var number = 1;
        while (File.Exists($"{path}.damaged-{number}"))
        {
            number++;
        }

        File.Move(path, $"{path}.damaged-{number}");
        return $"{path}.damaged-{number}";
    }

    /// <summary>Why the file is not what the log has up to a record; null where it is.</summary>
    /// <param name="path">The file.</param>
    /// <param name="end">The record.</param>
    /// <param name="isWhole">Whether it begins where it should.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    private static async ValueTask<string?> FaultOfAsync(
        string path,
        AuditPosition end,
        Predicate<AuditVerification> isWhole,
        CancellationToken cancellationToken
    )
    {
        if (!File.Exists(path))
        {
            return "It is not there.";
        }

        var verification = await VerifyAsync(path, [end], cancellationToken);
        return verification switch
        {
            { Fault.What: var what } => what,
            _ when !verification.IsOneBeginning || !isWhole(verification) || verification.Streams[^1].Head != end =>
                "It does not hold what the log says of it.",
            _ => null,
        };
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

    private void PutOnDisk(string path)
    {
        using (var file = OwnerOnlyFile.Continue(path))
        {
            file.Flush(flushToDisk: true);
        }

        FlushFolder(options.ArchiveTo);
    }

    private static string Megabytes(long bytes) => (bytes >> 20).ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The audit archive {Damaged} does not verify: {Fault} What the store still has of it was written again "
            + "to {Path}, and verifies. The file that was there is kept as {Kept}."
    )]
    private static partial void LogWrittenAgain(ILogger logger, string damaged, string fault, string path, string kept);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The audit archive {Damaged} does not verify: {Fault} Records of its beginning are not in the store any "
            + "more: put the file back from a copy. Its records from there on are in {Path}."
    )]
    private static partial void LogLost(ILogger logger, string damaged, string fault, string path);
}
