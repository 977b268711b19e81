using CredBroker.Core.Audit.Events;

namespace CredBroker.Core.Audit;

/// <summary>Checks an export line by line and keeps the first fault.</summary>
internal sealed partial class AuditChainCheck
{
    private readonly Dictionary<string, AuditStreamCheck> _streams = new(StringComparer.Ordinal);
    private readonly Dictionary<AuditCursor, string> _expected = [];
    private readonly AuditCoverage _coverage = new();
    private readonly HashSet<AuditPosition> _kept = [];

    // By their ends, the files that the log says hold what was before.
    private readonly Dictionary<AuditPosition, string> _archives = [];

    // By stream, whether it is in the file or not.
    private readonly Dictionary<string, AuditPosition> _namedEnds = new(StringComparer.Ordinal);
    private readonly (DateTimeOffset? From, DateTimeOffset? To) _demanded;
    private string? _origin; // The store's first stream.
    private bool _isClockRepaired;
    private long _inOrder;
    private long _line;
    private long _records;
    private DateTimeOffset? _earliest;
    private DateTimeOffset? _latest;
    private AuditExportSegment? _segment;
    private AuditStreamCheck? _first; // In the log's order, of those that the file holds.
    private AuditStreamCheck? _current;
    private string? _before; // The stream before the current one in this export.
    private (AuditPosition Position, long Line)? _anchor; // Of the stream whose first line in this export comes next.
    private AuditCursor? _last; // In this export.
    private AuditCursor? _end; // In the file.
    private AuditMismatch? _mismatch;

    public AuditChainCheck(
        IReadOnlyCollection<AuditPosition> expected,
        (DateTimeOffset? From, DateTimeOffset? To) demanded = default
    )
    {
        (_kept, _demanded) = ([.. expected], demanded);
        foreach (var position in expected)
        {
            _expected[new(position.Stream, position.Sequence)] = position.Hash;
        }
    }

    /// <summary>The first fault; nothing may be added after it.</summary>
    public AuditFault? Fault { get; private set; }

    /// <summary>The next line, without its line feed.</summary>
    public void Add(ReadOnlySpan<byte> line)
    {
        _line++;
        if (_mismatch is not null)
        {
            Settle(line);
            return;
        }

        if (AuditRecordHeader.Read(line) is { } header)
        {
            AddRecord(header, line);
            return;
        }

        switch (ExportLine.Read(line))
        {
            case ExportLine.Opened opened:
                Open(opened);
                break;
            case ExportLine.Stream stream when _segment is not null && _anchor is null:
                _anchor = (stream.Anchor, _line);
                break;
            case ExportLine.Closed closed when _segment is not null:
                Close(closed);
                return;
            default:
                FailHere(
                    "The line is neither an audit record nor a line that an export has here: "
                        + "it was altered, inserted or cut off."
                );
                break;
        }

        _segment?.Add(line, isRecord: false);
    }

    /// <summary>The next line cannot be read.</summary>
    public void AddUnreadable(string what)
    {
        _line++;
        Settle([]);
        FailHere(what);
    }

    /// <summary>After the last line.</summary>
    public AuditVerification Finish()
    {
        Settle([]);
        if (Fault is null && (_segment is not null || _line == 0))
        {
            _line++;
            FailHere(
                "The file ends before the export's closing line: "
                    + "it was cut off. Resume the export after the last record."
            );
        }

        foreach (var (position, _) in _expected)
        {
            Fail(
                _line + 1,
                position.Stream,
                position.Sequence,
                "The expected record is not in the file: it was removed, or lies outside the exported range."
            );
        }

        FindHoles();
        if (Fault is null && _coverage.FaultOf(_demanded.From, _demanded.To, _latest) is { } uncovered)
        {
            Fail(1, null, null, uncovered);
        }

        _segment?.Dispose();
        var isWhole = Fault is null && _origin is not null && _coverage is { IsOpen: true, HasGap: false };
        var isEndKept = _streams.Values.All(stream => stream.IsEndNamed || _kept.Contains(stream.Head));
        return new()
        {
            Fault = Fault,
            Lines = _line,
            Records = Fault is null ? _records : _inOrder,
            Streams = [.. _streams.Values.Select(stream => stream.Span)],
            Earliest = _earliest,
            Latest = _latest,
            Range =
                _coverage.Range(_origin is not null, isWhole, _first?.PlaceBefore, ArchiveBefore())
                + NotShown(isEndKept),
            IsWhole = isWhole,
            IsOneBeginning = _coverage.IsOneBeginning,
            // Every stream whose end no other stream names: the last one, as a rule.
            NotProven = _coverage.NotProven(_streams.Values, _kept.Count > 0, isEndKept),
        };
    }

    private void AddRecord(AuditRecordHeader header, ReadOnlySpan<byte> line)
    {
        if (_anchor is var (anchor, anchorLine))
        {
            _anchor = null;
            BeginStream(anchor, anchorLine);
            if (Fault is not null)
            {
                return;
            }
        }

        if (_segment is null || _current?.Id != header.Stream)
        {
            Fail(
                _line,
                header.Stream,
                header.Sequence,
                "The record stands where none of its stream is expected: "
                    + "it was moved or inserted, or a line before it was removed."
            );
            return;
        }

        if (_current.FaultOf(header, _segment) is var (sequence, what))
        {
            Fail(_line, header.Stream, sequence, what);
            return;
        }

        var hash = AuditRecordWriter.Hash(line);
        if (header.Previous != _current.Head.Hash)
        {
            // A record's alteration shows in the record after it. Which of the two it was, the line after that decides.
            _mismatch = new(_current.Head, _current.HeadLine, new(header.Stream, header.Sequence, hash), _line);
            return;
        }

        _current.Advance(header, hash, _line, _records);
        _segment.Add(line, isRecord: true);
        _end = _last = new(header.Stream, header.Sequence);
        _earliest = header.Time < _earliest ? _earliest = header.Time : _earliest ?? header.Time;
        _latest = header.Time > _latest ? _latest = header.Time : _latest ?? header.Time;
        Meet(_current.Head);
        MeetEnd(_current);
        _isClockRepaired |= header.Type == ClockRepaired.TypeName;
        if (header.Type == AuditArchived.TypeName && AuditArchived.Read(line) is var (end, archive))
        {
            MeetArchive(end, archive);
        }

        if (header.Type == StreamOpened.TypeName)
        {
            if (StreamPredecessor.Read(line) is var (predecessor, time))
            {
                _current.Opening = (new(predecessor, time), _line, _records);
                MeetPredecessor(predecessor, time);
            }
            else
            {
                MeetOrigin();
            }
        }

        _records++;
    }

    /// <summary>
    /// The line after two records that do not fit says which of them was altered, and so how many before it are in
    /// order.
    /// </summary>
    private void Settle(ReadOnlySpan<byte> next)
    {
        if (Fault is null && _mismatch is { } mismatch)
        {
            Fault = mismatch.Settle(next);
            _inOrder = Fault.Line == mismatch.FirstLine ? _records - 1 : _records;
        }
    }

    /// <summary>A position of which the hash may be known from elsewhere.</summary>
    private void Meet(AuditPosition position)
    {
        if (_expected.Remove(new(position.Stream, position.Sequence), out var hash) && hash != position.Hash)
        {
            Fail(
                _line,
                position.Stream,
                position.Sequence,
                "The record is not the one expected from elsewhere: "
                    + $"its hash is {position.Hash}. It was rewritten, and all after it may be."
            );
        }
    }

    private void FailOpening(string what) =>
        Fail(_line, _current!.Id, 1, what + ": the stream was inserted, or the store was restored from a backup.");

    private void FailHere(string what) => Fail(_line, _current?.Id, _current?.Head.Sequence + 1, what);

    private void Fail(long line, string? stream, long? sequence, string what, long? inOrder = null)
    {
        if (Fault is null)
        {
            (Fault, _inOrder) = (new(line, stream, sequence, what), inOrder ?? _records);
        }
    }
}
