using System.Buffers;
using System.IO.Pipelines;

namespace CredBroker.Core.Audit;

/// <summary>
/// Writes the audit log as JSON Lines: the records' own bytes between the lines that <see cref="ExportLine"/>
/// describes. Nothing is held in memory but each stream's head. An export that was cut off is resumed with its last
/// record as the cursor; the two files one after the other verify as one.
/// </summary>
public sealed class AuditExport(IAuditLog log)
{
    private const int FlushBytes = 64 * 1024;

    /// <summary>Whether what is archived is exported, too, as far as the log has it still: to archive it again.</summary>
    internal bool ReachesBack { get; init; }

    /// <summary>
    /// Exports a range. Returns the cursor of the last record, where a later export goes on; <paramref name="after"/>
    /// when there was none.
    /// </summary>
    /// <param name="output">
    /// Where to write; it is flushed on the way, at the reader's pace, and not completed here.
    /// </param>
    /// <param name="from">The first time wanted; null for no bound.</param>
    /// <param name="to">The first time not wanted; null for everything until now.</param>
    /// <param name="after">Continue after this record.</param>
    /// <param name="cancellationToken">Stops the export; what was written until then can be resumed.</param>
    public async ValueTask<AuditCursor?> WriteAsync(
        PipeWriter output,
        DateTimeOffset? from,
        DateTimeOffset? to,
        AuditCursor? after,
        CancellationToken cancellationToken
    )
    {
        // What is archived is not in the log any more: an export that reaches so far begins after it, and says so.
        var archived = ReachesBack ? null : await log.ArchivedAsync(cancellationToken);
        if (archived is not null && after?.IsBefore(archived.End) != false && !(from > archived.Latest))
        {
            after = new(archived.End.Stream, archived.End.Sequence);
        }

        using var segment = new AuditExportSegment(new(from, to, after));
        AuditRecord? last = null;
        var unflushed = 0;
        Write(segment.Opened.ToBytes(), isRecord: false);
        await foreach (
            var record in log.ReadAsync(
                from ?? DateTimeOffset.MinValue,
                to ?? DateTimeOffset.MaxValue,
                after,
                cancellationToken
            )
        )
        {
            if (record.Stream != last?.Stream)
            {
                AddHead();
                Write(
                    new ExportLine.Stream(new(record.Stream, record.Sequence - 1, record.Previous)).ToBytes(),
                    isRecord: false
                );
            }

            Write(record.Bytes.Span, isRecord: true);
            last = record;
            if (unflushed < FlushBytes)
            {
                continue;
            }

            if ((await output.FlushAsync(cancellationToken)).IsCompleted)
            {
                return Cursor();
            }

            unflushed = 0;
        }

        if (
            !ReachesBack
            && (await log.ArchivedAsync(cancellationToken))?.End is { } end
            && end != archived?.End
            && after?.IsBefore(end) != false
        )
        {
            throw new IOException("What is exported was archived meanwhile: export it again.");
        }

        AddHead();
        Write(segment.Close().ToBytes(), isRecord: false);
        await output.FlushAsync(cancellationToken);
        return Cursor();

        void Write(ReadOnlySpan<byte> line, bool isRecord)
        {
            segment.Add(line, isRecord);
            output.Write(line);
            output.Write("\n"u8);
            unflushed += line.Length + 1;
        }

        void AddHead()
        {
            if (last is not null)
            {
                segment.Heads.Add(new(last.Stream, last.Sequence, AuditRecordWriter.Hash(last.Bytes.Span)));
            }
        }

        AuditCursor? Cursor() => last is null ? after : new(last.Stream, last.Sequence);
    }
}
