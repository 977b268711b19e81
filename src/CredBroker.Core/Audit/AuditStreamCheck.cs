using CredBroker.Core.Audit.Events;

namespace CredBroker.Core.Audit;

/// <summary>What has been read of one stream.</summary>
/// <param name="anchor">The anchor with which it begins in the file.</param>
/// <param name="line">The line that says so.</param>
internal sealed class AuditStreamCheck(AuditPosition anchor, long line)
{
    public string Id => Head.Stream;

    public long Line => line;

    /// <summary>The anchor with which the stream began in the file.</summary>
    public AuditPosition Origin { get; } = anchor;

    /// <summary>Its sequence.</summary>
    public long OriginSequence => Origin.Sequence;

    /// <summary>
    /// What its first record names, that record's line, and how many records are before it; null where the file does not
    /// have it, and for the store's first stream.
    /// </summary>
    public (StreamPredecessor Predecessor, long Line, long RecordsBefore)? Opening { get; set; }

    /// <summary>The time of its first record in the file.</summary>
    public DateTimeOffset? OriginTime { get; private set; }

    /// <summary>The record before its first in the file, in this stream or the one that it follows; null if there is none.</summary>
    public AuditPosition? PlaceBefore => OriginSequence > 0 ? Origin : Opening?.Predecessor.Head;

    /// <summary>The position before the first record of the run that is being read.</summary>
    public AuditPosition Anchor { get; private set; } = anchor;

    /// <summary>The newest record read, or the anchor.</summary>
    public AuditPosition Head { get; private set; } = anchor;

    /// <summary>The line of <see cref="Head"/>; 0 for an anchor.</summary>
    public long HeadLine { get; private set; }

    /// <summary>How many records of the file stand before <see cref="Head"/>.</summary>
    public long RecordsBefore { get; private set; }

    public DateTimeOffset HeadTime { get; private set; }

    /// <summary>Whether the newest record says that the process stopped in good order.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>The end that the next process found; null where the file does not say.</summary>
    public AuditPosition? NamedEnd { get; set; }

    /// <summary>Whether the next process has named <see cref="Head"/> as the end that it found.</summary>
    public bool IsEndNamed => Head == NamedEnd;

    public AuditStreamSpan Span => new(Anchor, Head, IsClosed);

    /// <summary>A later export goes on further ahead.</summary>
    public void Skip(AuditPosition anchor) => (Anchor, Head, HeadLine) = (anchor, anchor, 0);

    public void Advance(AuditRecordHeader header, string hash, long line, long recordsBefore)
    {
        OriginTime ??= header.Time;
        (Head, HeadLine, RecordsBefore, HeadTime, IsClosed) = (
            new(header.Stream, header.Sequence, hash),
            line,
            recordsBefore,
            header.Time,
            header.Type == StreamClosed.TypeName
        );
    }

    /// <summary>
    /// What is wrong with a record as the next one, its hash aside; null when nothing is. The sequence is that of the
    /// event concerned.
    /// </summary>
    public (long Sequence, string What)? FaultOf(AuditRecordHeader header, AuditExportSegment segment)
    {
        var next = Head.Sequence + 1;
        if (header.Sequence != next)
        {
            return header.Sequence < next
                ? (
                    header.Sequence,
                    $"Record {header.Sequence} stands after record {Head.Sequence}: "
                        + "it is doubled, out of order or inserted."
                )
                : (
                    next,
                    header.Sequence == next + 1
                        ? $"Record {next} is missing before this line."
                        : $"Records {next} to {header.Sequence - 1} are missing before this line."
                );
        }

        var what = header switch
        {
            _ when IsClosed => "The record stands after the one that closed its stream: it was inserted.",
            _ when header.Sequence > NamedEnd?.Sequence =>
                "The record stands after the one that the next process found as the stream's last: it was inserted.",
            _ when (header.Sequence == 1) != (header.Type == StreamOpened.TypeName) =>
                "A stream is opened by its first record and by no other: the record was altered or inserted.",
            _ when header.Time < HeadTime =>
                "The record is older than the one before it; a stream's time never goes back.",
            _ when header.Time < segment.Opened.From || header.Time >= segment.Opened.To =>
                "The record's time lies outside the exported range.",
            _ when header.Stream == segment.Opened.After?.Stream && next <= segment.Opened.After.Sequence =>
                "The export says that it begins after this record.",
            _ => null,
        };
        return what is null ? null : (header.Sequence, what);
    }
}
