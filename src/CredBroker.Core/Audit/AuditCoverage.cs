namespace CredBroker.Core.Audit;

/// <summary>Which ranges of time a file says it holds, and so what must be in it and what it leaves open.</summary>
internal sealed class AuditCoverage
{
    private readonly List<ExportLine.Opened> _exports = [];
    private readonly List<string> _gaps = [];
    private ExportLine.Opened? _closed;

    /// <summary>
    /// An export begins; false where it can be none of those that a file holds one after the other. Each goes on after
    /// the last record before it, or begins at a later time.
    /// </summary>
    /// <param name="opened">What was asked for.</param>
    /// <param name="isResumed">Whether it goes on with one that was cut off.</param>
    /// <param name="end">The last record before it; null where there is none.</param>
    public bool TryOpen(ExportLine.Opened opened, bool isResumed, AuditCursor? end)
    {
        if (isResumed)
        {
            // What it covers, the cut one said already, but for how far; its cursor leaves nothing out.
            _exports[^1] = _exports[^1] with
            {
                To = opened.To,
            };
            return true;
        }

        var isNext =
            _exports is not [.., var before]
            || (
                opened.After is not null
                    ? opened.After == (end ?? before.After)
                    : end is null || (opened.From is { } from && !_exports.Exists(export => from < export.From))
            );
        _exports.Add(opened);
        return isNext;
    }

    /// <summary>The export is whole.</summary>
    public void Close() => _closed = _exports[^1];

    /// <summary>Whether a record of this time must be in the file.</summary>
    public bool MustHold(AuditPosition record, DateTimeOffset time) =>
        _exports.Exists(export => Contains(export, time) && export.After?.IsBefore(record) != false);

    /// <summary>
    /// Whether records may be absent between two exports of the file: only where the ranges leave time between them.
    /// </summary>
    public bool AllowsGap(AuditStreamCheck stream, long anchor)
    {
        var isBetween = Holes().Exists(hole => hole.To > stream.HeadTime && hole.To <= _exports[^1].From);
        if (isBetween)
        {
            _gaps.Add(
                $"Records {stream.Head.Sequence + 1} to {anchor} of stream {stream.Id} are not in the file. They lie "
                    + "between the exported ranges by the exporter's word."
            );
        }

        return isBetween;
    }

    /// <summary>
    /// The record that a stream names as the end of the one before it. If the file does not hold it, that is a gap, and
    /// more than that stream may be missing; unless it is what stands before the file's first record.
    /// </summary>
    /// <param name="named">The record.</param>
    /// <param name="time">Its time.</param>
    /// <param name="held">Up to where the file holds its stream; null where it holds nothing of it.</param>
    /// <param name="before">The last record of the file before the stream that names it, if there is one.</param>
    public void Miss(AuditPosition named, DateTimeOffset time, long? held, AuditPosition? before)
    {
        if (held >= named.Sequence || before is null)
        {
            return;
        }

        var isBetween = _exports.Exists(export => export.To <= time) && _exports.Exists(export => export.From > time);
        var where = isBetween ? "between the exported ranges" : "outside the exported range";
        _gaps.Add(
            held is null
                ? $"Stream {named.Stream} lies {where} and is not in the file; others before it may be missing with it."
                : $"Records {held + 1} to {named.Sequence} of stream {named.Stream} are not in the file. The last of them "
                    + $"lies {where}."
        );
    }

    /// <summary>A stream that is not the file's first has no beginning in it.</summary>
    /// <param name="anchor">The record before those that the file has of it.</param>
    /// <param name="before">The last record of the file before the stream.</param>
    public void MissBeginning(AuditPosition anchor, AuditPosition before) =>
        _gaps.Add(
            $"Records 1 to {anchor.Sequence} of stream {anchor.Stream} are not in the file, nor is what may stand between "
                + $"them and record {before.Sequence} of stream {before.Stream}."
        );

    /// <summary>
    /// Whether a stream of which the file had nothing may begin with this anchor. An export leaves out what its cursor
    /// names, which is in its first stream, and what was before its range. Only the stream that ran then lies across
    /// the range's beginning, and it is the first: unless the clock was set back, which is on record. A repair from a
    /// time after the range is not in the file; then the file has a gap, which is said.
    /// </summary>
    public bool AllowsBeginning(AuditPosition anchor, bool isFirstOfFile, bool isFirstOfExport, bool isClockRepaired)
    {
        if (anchor.Sequence == 0)
        {
            return true;
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

    /// <summary>Whether everything was asked for, until the last export was made.</summary>
    public bool IsOpen => _exports is [{ From: null, After: null }, ..] && _exports[^1] is { From: null, To: null };

    /// <summary>Whether something between the file's first and last record is not in it.</summary>
    public bool HasGap => _gaps.Count > 0;

    /// <summary>What the file says it holds. The range is the exporter's word; the records in it prove themselves.</summary>
    /// <param name="hasOrigin">Whether the store's first record is among them.</param>
    /// <param name="isWhole">Whether nothing was left out.</param>
    /// <param name="place">The record before the first one; null where there is none, or no record at all.</param>
    /// <param name="archive">The archive after which it begins, if the log names one.</param>
    public string Range(bool hasOrigin, bool isWhole, AuditPosition? place, (AuditPosition End, string File)? archive)
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
            false when place is not null =>
                $"It is A PART of the log, exported {since} {until}{gap}; it begins after record {place.Sequence} of "
                    + $"stream {place.Stream}, and what was before is not in it.",
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

        if (from is null && to is null)
        {
            return null;
        }

        if (HasGap)
        {
            return $"The file has a gap in what was demanded. {_gaps[0]}";
        }

        foreach (var hole in Holes())
        {
            if (!(hole.To <= from) && !(hole.From >= to))
            {
                return "The file does not hold what was demanded: its exports leave out the time from "
                    + $"{AuditRecordHeader.FormatTime(hole.From)} to {AuditRecordHeader.FormatTime(hole.To)}.";
            }
        }

        return null;
    }

    // The times between exports that none of them covers.
    private List<(DateTimeOffset From, DateTimeOffset To)> Holes()
    {
        var (holes, end) = (new List<(DateTimeOffset, DateTimeOffset)>(), DateTimeOffset.MinValue);
        foreach (var (index, export) in _exports.Index())
        {
            if (index > 0 && export.From is { } from && from > end)
            {
                holes.Add((end, from));
            }

            var to = export.To ?? DateTimeOffset.MaxValue;
            end = to > end ? to : end;
        }

        return holes;
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
