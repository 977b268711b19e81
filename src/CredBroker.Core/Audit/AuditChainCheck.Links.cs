namespace CredBroker.Core.Audit;

/// <summary>What ties streams to each other, and to the archives before them.</summary>
internal sealed partial class AuditChainCheck
{
    /// <summary>The store's first stream is the only one that found nothing before it.</summary>
    private void MeetOrigin()
    {
        if (_hasOrigin || _before is not null)
        {
            FailOpening("This stream says that it is the store's first, but the file holds an earlier one");
        }

        _hasOrigin = true;
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

        if (!_streams.TryGetValue(named.Stream, out var found))
        {
            if (_coverage.MustHold(named.Stream, time))
            {
                Fail(
                    _line,
                    named.Stream,
                    named.Sequence,
                    "This record names a stream that lies in the exported range and is not in the file: it was removed."
                );
            }

            _coverage.Miss(named, time, held: 0);
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
        else if (found.Head.Sequence < named.Sequence && !_coverage.Covers(time))
        {
            _coverage.Miss(named, time, found.Head.Sequence);
        }
        else if (found.Head.Sequence < named.Sequence)
        {
            Fail(
                _line,
                named.Stream,
                found.Head.Sequence + 1,
                $"The stream ends here at record {found.Head.Sequence}, "
                    + $"but the next process found record {named.Sequence}: the end was removed."
            );
        }

        MeetEnd(found);
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
        _coverage.After is { } after
        && PlaceBefore(after.Stream) is { } place
        && place.Sequence == after.Sequence
        && _archives.TryGetValue(place, out var file)
            ? (place, file)
            : null;

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
