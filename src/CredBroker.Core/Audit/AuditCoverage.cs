namespace CredBroker.Core.Audit;

/// <summary>Which ranges of time a file says it holds, and so what must be in it and what it leaves open.</summary>
internal sealed class AuditCoverage
{
    private readonly List<ExportLine.Opened> _exports = [];
    private readonly List<string> _gaps = [];
    private ExportLine.Opened? _closed;

    /// <summary>An export begins.</summary>
    public void Open(ExportLine.Opened opened, bool isResumed)
    {
        // What a resumed export covers, the cut one said already; its cursor leaves nothing out.
        if (!isResumed)
        {
            _exports.Add(opened);
        }
    }

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

    /// <summary>What the file alone cannot prove.</summary>
    public IReadOnlyList<string> NotProven(IReadOnlyCollection<AuditStreamCheck> streams, bool isAnchoredElsewhere)
    {
        var notProven = new List<string>(_gaps);
        if (!isAnchoredElsewhere)
        {
            notProven.Add(
                "That nobody rewrote the whole log, or its end and the closing line with it. "
                    + "Compare a head with one that was kept elsewhere: an earlier export, or Vault's audit log."
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
