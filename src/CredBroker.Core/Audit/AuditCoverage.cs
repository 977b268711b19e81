namespace CredBroker.Core.Audit;

/// <summary>Which ranges of time a file says it holds, and so what must be in it and what it leaves open.</summary>
internal sealed class AuditCoverage
{
    private readonly List<ExportLine.Opened> _exports = [];
    private readonly List<string> _gaps = [];
    private ExportLine.Opened? _closed;
    private bool _isOpen;

    /// <summary>An export begins.</summary>
    /// <param name="opened">What was asked for.</param>
    /// <param name="isResumed">Whether it goes on with one that was cut off.</param>
    /// <param name="isJoined">Whether it goes on after the last record of what the file has before it.</param>
    public void Open(ExportLine.Opened opened, bool isResumed, bool isJoined)
    {
        // An archive is everything up to its end; what goes on after it is everything again.
        _isOpen |=
            opened is { From: null, To: null }
            && (opened.After is null || (isJoined && _exports is [{ From: null, After: null }, ..]));

        // What a resumed export covers, the cut one said already; its cursor leaves nothing out.
        if (!isResumed)
        {
            _exports.Add(opened);
        }
    }

    /// <summary>The record after which the file begins, where it says one.</summary>
    public AuditCursor? After => _exports is [var first, ..] ? first.After : null;

    /// <summary>The export is whole.</summary>
    public void Close() => _closed = _exports[^1];

    /// <summary>Whether records at this time are in the file's ranges.</summary>
    public bool Covers(DateTimeOffset time) => _exports.Exists(export => Contains(export, time));

    /// <summary>Whether a stream that has a record at this time must be in the file.</summary>
    public bool MustHold(string stream, DateTimeOffset time) =>
        _exports.Exists(export =>
            Contains(export, time) && (export.After is null || string.CompareOrdinal(stream, export.After.Stream) > 0)
        );

    /// <summary>
    /// Whether records may be absent between two exports of the file: only where the ranges leave time between them.
    /// </summary>
    public bool AllowsGap(AuditStreamCheck stream, long anchor)
    {
        var isBetween = _exports[^1].From is { } from && _closed?.To is { } to && from > to && stream.HeadTime < to;
        if (isBetween)
        {
            _gaps.Add(
                $"Records {stream.Head.Sequence + 1} to {anchor} of stream "
                    + $"{stream.Id} lie between the exported ranges and are not in the file."
            );
        }

        return isBetween;
    }

    /// <summary>
    /// The file does not hold the record that a later stream names as the end of the one before it. Where it lies between
    /// two ranges, that is a gap, and more than that stream may be missing.
    /// </summary>
    /// <param name="named">The record.</param>
    /// <param name="time">Its time.</param>
    /// <param name="held">Up to where the file holds its stream; 0 where it holds nothing of it.</param>
    public void Miss(AuditPosition named, DateTimeOffset time, long held)
    {
        if (_exports.Exists(export => export.To <= time) && _exports.Exists(export => export.From > time))
        {
            _gaps.Add(
                held == 0
                    ? $"Stream {named.Stream} lies between the exported ranges and is not in the file; others before it may "
                        + "be missing with it."
                    : $"Records {held + 1} to {named.Sequence} of stream {named.Stream} lie between the exported ranges and "
                        + "are not in the file."
            );
        }
    }

    /// <summary>
    /// Whether a stream of which the file had nothing may begin with this anchor. An export leaves out what its cursor
    /// names, which is in its first stream, and what was before its range. Only the stream that ran then lies across
    /// the range's beginning, and it is the first: unless the clock was set back, which is on record. A repair from a
    /// time after the range is not in the file; that is said as a gap, for the file cannot show it.
    /// </summary>
    public bool AllowsBeginning(AuditPosition anchor, bool isFirstOfFile, bool isFirstOfExport, bool isClockRepaired)
    {
        if (anchor.Sequence == 0)
        {
            return true;
        }

        if (!isFirstOfFile)
        {
            _gaps.Add($"Records 1 to {anchor.Sequence} of stream {anchor.Stream} are not in the file.");
        }

        var export = _exports[^1];
        if (export.From is null)
        {
            return isFirstOfFile && export.After == new AuditCursor(anchor.Stream, anchor.Sequence);
        }

        var isBeginning = isFirstOfExport && (isFirstOfFile || _closed?.To < export.From);
        var isHeld = _exports
            .SkipLast(1)
            .Any(before => before is { From: null, After: null } && !(before.To < export.From));
        return !isHeld && (isBeginning || isClockRepaired || export.To is not null);
    }

    /// <summary>Whether the file is one export, which was asked for everything up to its end.</summary>
    public bool IsOneBeginning => _exports is [{ From: null }] && _gaps.Count == 0;

    /// <summary>Whether some export of the file was asked for everything.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>What the file says it holds. The range is the exporter's word; the records in it prove themselves.</summary>
    /// <param name="hasOrigin">Whether the store's first record is among them.</param>
    /// <param name="isWhole">Whether nothing was left out.</param>
    /// <param name="first">The first stream.</param>
    /// <param name="archive">The archive after which it begins, if the log names one.</param>
    public string Range(
        bool hasOrigin,
        bool isWhole,
        AuditStreamCheck? first,
        (AuditPosition End, string File)? archive
    )
    {
        if (_exports.Count == 0)
        {
            return "It holds no export.";
        }

        var (begin, end) = (_exports[0], _exports[^1]);
        var since = begin switch
        {
            { After: { } after } => $"after record {after}",
            { From: { } from } => $"from {AuditRecordHeader.FormatTime(from)}",
            _ => "from the beginning",
        };
        var gap = _gaps.Count > 0 ? " with a gap" : "";
        var until = end.To is { } to ? $"to {AuditRecordHeader.FormatTime(to)}" : "until it was made";
        if (archive is var (before, file))
        {
            return $"It is A PART of the log, exported {until}{gap}: it begins after record {before.Sequence} of stream "
                + $"{before.Stream} with hash {before.Hash}, and what was before is archived in {file}. The archives and "
                + "this file, one after the other, verify as one.";
        }

        return hasOrigin switch
        {
            true when isWhole => "It holds everything from the store's first record until it was made.",
            true => $"It is A PART of the log, exported {since} {until}{gap}; the store's first record is in it.",
            false when first is { OriginSequence: > 0 } =>
                $"It is A PART of the log, exported {since} {until}{gap}; it begins after record {first.OriginSequence} "
                    + $"of stream {first.Id}, and what was before is not in it.",
            false => $"It is A PART of the log, exported {since} {until}{gap}; the store's first record is not in it.",
        };
    }

    /// <summary>Why the file does not hold a range that was demanded; null where it does.</summary>
    public string? FaultOf(DateTimeOffset? from, DateTimeOffset? to, DateTimeOffset? latest)
    {
        if (from is { } first && !_exports.Exists(export => export.After is null && !(first < export.From)))
        {
            return $"The file does not hold what was demanded from {AuditRecordHeader.FormatTime(first)}: "
                + "its exports begin later.";
        }

        if (to is { } last && !_exports.Exists(export => export.To is { } end ? last <= end : last <= latest))
        {
            return $"The file does not show that it holds everything before {AuditRecordHeader.FormatTime(last)}: "
                + "its exports, or their last records, end earlier.";
        }

        var demandsAny = from is not null || to is not null;
        return demandsAny && _gaps.Count > 0 ? $"The file has a gap in what was demanded. {_gaps[0]}" : null;
    }

    /// <summary>What the file alone cannot prove.</summary>
    /// <param name="streams">What it holds.</param>
    /// <param name="anyKept">Whether a position was known from elsewhere.</param>
    /// <param name="endIsKept">Whether the head of every stream that no other names was.</param>
    public IReadOnlyList<string> NotProven(IReadOnlyCollection<AuditStreamCheck> streams, bool anyKept, bool endIsKept)
    {
        var notProven = new List<string>(_gaps);
        if (!anyKept)
        {
            notProven.Add(
                "That nobody rewrote the whole log, or its end and the closing line with it. "
                    + "Compare a head with one that was kept elsewhere: an earlier export, or Vault's audit log."
            );
        }
        else if (!endIsKept)
        {
            notProven.Add(
                "That nobody rewrote or removed what came after the expected record, whole streams included: it is not "
                    + "the head of the file's last stream. Compare that head with one that was kept elsewhere."
            );
        }

        if (streams.Count(stream => stream.Anchor.Sequence > 0) is > 0 and var anchored)
        {
            notProven.Add(
                $"What stands before the first exported record of {anchored} of the streams. "
                    + "An export that ends at those records proves it."
            );
        }

        if (streams.Count(stream => !stream.IsClosed && !stream.IsEndNamed) is > 0 and var open)
        {
            notProven.Add(
                $"What came after the last exported record of {open} of the streams: "
                    + "they were open, or went on after the exported range."
            );
        }

        return notProven;
    }

    private static bool Contains(ExportLine.Opened export, DateTimeOffset time) =>
        !(time < export.From) && !(time >= export.To);
}
