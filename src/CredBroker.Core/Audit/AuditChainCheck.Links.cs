namespace CredBroker.Core.Audit;

/// <summary>What ties streams to each other, and to the archives before them.</summary>
internal sealed partial class AuditChainCheck
{
    /// <summary>The store's first stream is the only one that found nothing before it.</summary>
    private void MeetOrigin()
    {
        if (_origin is not null || _first != _current)
        {
            FailOpening("This stream says that it is the store's first, but the file holds an earlier one");
        }

        _origin = _current!.Id;
    }

    /// <summary>
    /// Every stream names the end of the one before it: a stream, or the end of one, cannot be left out, and none can
    /// be put in. That goes for the stream which a repair of the clock begins, too, whatever its time.
    /// </summary>
    private void MeetPredecessor(AuditPosition named, DateTimeOffset time)
    {
        if (!_namedEnds.TryAdd(named.Stream, named))
        {
            FailOpening("Another stream has named the same one as the stream before it");
            return;
        }

        if (string.CompareOrdinal(named.Stream, _before) < 0)
        {
            FailOpening("The stream that it names is not the one before it");
            return;
        }

        MissEnd(_current!);
        if (!_streams.TryGetValue(named.Stream, out var found))
        {
            return;
        }

        found.NamedEnd = named;
        if (found.Head.Sequence > named.Sequence)
        {
            // The next process reads what is committed, after a crash, too, and nobody writes to the stream after that.
            var added = found.Head.Sequence - named.Sequence;
            Fail(
                _line,
                named.Stream,
                named.Sequence + 1,
                $"The stream goes on to record {found.Head.Sequence}, but the next process found record "
                    + $"{named.Sequence} as its last: records were added, or the store was restored from a backup.",
                Math.Max(0, found.RecordsBefore + 1 - added)
            );
        }

        MeetEnd(found);
    }

    /// <summary>The end that a stream names as the one before it must be in the file, where an export says so.</summary>
    private void MissEnd(AuditStreamCheck stream)
    {
        var ((named, time), line, records) = stream.Opening!.Value;
        var found = _streams.GetValueOrDefault(named.Stream);
        if (found?.Head.Sequence >= named.Sequence || !_coverage.MustHold(named, time))
        {
            return;
        }

        if (found is null)
        {
            Fail(
                line,
                named.Stream,
                named.Sequence,
                "This record names a stream that lies in the exported range and is not in the file: it was removed.",
                records
            );
        }
        else
        {
            Fail(
                line,
                named.Stream,
                found.Head.Sequence + 1,
                $"The stream ends here at record {found.Head.Sequence}, "
                    + $"but the next process found record {named.Sequence}: the end was removed.",
                records
            );
        }
    }

    /// <summary>
    /// What the log has between the first and the last record of the file, and the file has not: a fault where an export
    /// says that it holds it, else a gap. That is known at the end only, since an export may hold what an earlier one
    /// left out.
    /// </summary>
    private void FindHoles()
    {
        AuditStreamCheck? before = null;
        foreach (var stream in _streams.Values.OrderBy(stream => stream.Id, StringComparer.Ordinal))
        {
            if (stream.Opening is var ((named, time), line, records))
            {
                MissEnd(stream);
                if (string.CompareOrdinal(named.Stream, before?.Id) < 0)
                {
                    Fail(
                        line,
                        stream.Id,
                        1,
                        $"It names another stream than {before!.Id} as the one before it: one of the two was inserted.",
                        records
                    );
                }

                _coverage.Miss(named, time, _streams.GetValueOrDefault(named.Stream)?.Head.Sequence, before?.Head);
            }
            else if (stream.Id == _origin && before is not null)
            {
                Fail(
                    stream.Line + 1,
                    stream.Id,
                    1,
                    $"It says that it is the store's first stream, but the file holds {before.Id}, which is earlier."
                );
            }
            else if (before is not null)
            {
                _coverage.MissBeginning(stream.Origin, before.Head);
            }

            before = stream;
        }
    }

    /// <summary>
    /// The log says where an archive ends. Where the file goes on from there, it must be with the record after that very
    /// one.
    /// </summary>
    private void MeetArchive(AuditPosition end, string file)
    {
        if (PlaceBefore(end.Stream) is { } place && place.Sequence == end.Sequence && place != end)
        {
            FailHere(
                $"It says that {file} ends with a record of hash {end.Hash}, but the file goes on after one of hash "
                    + $"{place.Hash}: one of the two was altered."
            );
        }

        _archives[end] = file;
    }

    /// <summary>The record before those that the file has, in this stream or of the one that it follows.</summary>
    private AuditPosition? PlaceBefore(string stream) =>
        _streams.GetValueOrDefault(stream)?.Origin ?? _namedEnds.GetValueOrDefault(stream);

    /// <summary>The archive after whose end the file begins, if the log names it.</summary>
    private (AuditPosition End, string File)? ArchiveBefore() =>
        _first?.PlaceBefore is { } place && _archives.TryGetValue(place, out var file) ? (place, file) : null;

    /// <summary>What of the demanded range no record in the file shows: that nothing of it lies beyond its ends.</summary>
    private string NotShown(bool isEndKept)
    {
        var said = "";
        if (
            _demanded.From is { } from
            && _origin is null
            && !(_first?.OriginTime < from)
            && !(_first?.Opening?.Predecessor.Time < from)
        )
        {
            said +=
                $" That nothing from {AuditRecordHeader.FormatTime(from)} on stands before that is the exporter's word.";
        }

        if (_demanded.To is { } to && !isEndKept && !(_latest >= to))
        {
            said +=
                $" That nothing before {AuditRecordHeader.FormatTime(to)} stands after its last record is the exporter's "
                + "word.";
        }

        return said;
    }

    /// <summary>The record that the next process found as the stream's last.</summary>
    private void MeetEnd(AuditStreamCheck stream)
    {
        if (stream.NamedEnd?.Sequence == stream.Head.Sequence && !stream.IsEndNamed)
        {
            Fail(
                stream.HeadLine > 0 ? stream.HeadLine : _line,
                stream.Id,
                stream.Head.Sequence,
                "The next process found another record here: it was altered.",
                stream.HeadLine > 0 ? stream.RecordsBefore : _records
            );
        }
    }
}
