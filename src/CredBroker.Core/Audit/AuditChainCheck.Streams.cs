namespace CredBroker.Core.Audit;

/// <content>How streams begin, hang together and end.</content>
internal sealed partial class AuditChainCheck
{
    private void BeginStream(AuditPosition anchor)
    {
        if (
            string.CompareOrdinal(anchor.Stream, _current?.Id ?? _segment!.Opened.After?.Stream) is var order
            && (order < 0 || order == 0 && _current is not null)
        )
        {
            Fail(
                _line,
                anchor.Stream,
                anchor.Sequence + 1,
                "The stream is out of order in this export: its lines were moved or doubled."
            );
            return;
        }

        FinishStream();
        if (!_streams.TryGetValue(anchor.Stream, out var stream))
        {
            BeginNewStream(stream = new(anchor) { NamedEnd = _namedEnds.GetValueOrDefault(anchor.Stream) });
        }
        else if (anchor.Sequence < stream.Head.Sequence)
        {
            Fail(
                _line,
                anchor.Stream,
                anchor.Sequence + 1,
                $"The file has record {stream.Head.Sequence} of this stream already: its records are doubled."
            );
        }
        else if (anchor.Sequence == stream.Head.Sequence && anchor.Hash != stream.Head.Hash)
        {
            Fail(
                _line,
                anchor.Stream,
                anchor.Sequence,
                "This export goes on from another record than the one that the file holds: one of the two was altered."
            );
        }
        else if (anchor.Sequence > stream.Head.Sequence)
        {
            if (!_coverage.AllowsGap(stream, anchor.Sequence))
            {
                Fail(
                    _line,
                    anchor.Stream,
                    stream.Head.Sequence + 1,
                    $"Records {stream.Head.Sequence + 1} to {anchor.Sequence} "
                        + "are missing between this export and the one before."
                );
            }

            stream.Skip(anchor);
        }

        (_before, _current) = (_current?.Id, stream);
        Meet(anchor);
    }

    /// <summary>A stream begins with its first record, but where the export was asked to leave something out.</summary>
    private void BeginNewStream(AuditStreamCheck stream)
    {
        var isExplained = _coverage.AllowsBeginning(
            stream.Anchor,
            isFirstOfFile: _streams.Count == 0,
            isFirstOfExport: _current is null,
            _isClockRepaired
        );
        _streams.Add(stream.Id, stream);
        if (!isExplained)
        {
            Fail(
                _line,
                stream.Id,
                1,
                $"The stream begins after record {stream.OriginSequence}, and nothing that was asked of this export "
                    + "leaves out what was before: it was removed."
            );
        }
    }

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

    private void FinishStream()
    {
        if (_current is not null)
        {
            _segment!.Heads.Add(_current.Head);
        }
    }

    private void FailOpening(string what) =>
        Fail(_line, _current!.Id, 1, what + ": the stream was inserted, or the store was restored from a backup.");
}
