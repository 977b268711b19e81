namespace CredBroker.Core.Audit;

/// <summary>The lines of the exports themselves: where one begins and ends, and where a stream begins in it.</summary>
internal sealed partial class AuditChainCheck
{
    private void Open(ExportLine.Opened opened)
    {
        if (
            _segment is { } cut
            && opened.After != (_last ?? cut.Opened.After)
            && (_last is not null || _end is null || opened.After != _end)
        )
        {
            FailHere(
                "An export begins here, but the one before has no closing line, "
                    + "and this one does not go on after its last record."
            );
            return;
        }

        _segment?.Dispose();
        if (!_coverage.TryOpen(opened, isResumed: _segment is not null, _end))
        {
            FailHere(
                "This export neither goes on after the last record before it nor begins at a later time than the one "
                    + "before: files were put together in another order than that of their records, one is doubled, or "
                    + "one between them is missing."
            );
            return;
        }

        (_segment, _current, _last, _anchor) = (new(opened), null, null, null);
    }

    private void BeginStream(AuditPosition anchor, long line)
    {
        if (
            string.CompareOrdinal(anchor.Stream, _current?.Id ?? _segment!.Opened.After?.Stream) is var order
            && (order < 0 || order == 0 && _current is not null)
        )
        {
            Fail(
                line,
                anchor.Stream,
                anchor.Sequence + 1,
                "The stream is out of order in this export: its lines were moved or doubled."
            );
            return;
        }

        FinishStream();
        if (!_streams.TryGetValue(anchor.Stream, out var stream))
        {
            BeginNewStream(stream = new(anchor, line) { NamedEnd = _namedEnds.GetValueOrDefault(anchor.Stream) });
        }
        else if (anchor.Sequence < stream.Head.Sequence)
        {
            Fail(
                line,
                anchor.Stream,
                anchor.Sequence + 1,
                $"The file has record {stream.Head.Sequence} of this stream already: its records are doubled."
            );
        }
        else if (anchor.Sequence == stream.Head.Sequence && anchor.Hash != stream.Head.Hash)
        {
            Fail(
                line,
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
                    line,
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
        if (_first is null || string.CompareOrdinal(stream.Id, _first.Id) < 0)
        {
            _first = stream;
        }

        var isExplained = _coverage.AllowsBeginning(
            stream.Origin,
            isFirstOfFile: _first == stream,
            isFirstOfExport: _current is null,
            _isClockRepaired
        );
        _streams.Add(stream.Id, stream);
        if (!isExplained)
        {
            Fail(
                stream.Line,
                stream.Id,
                1,
                $"The stream begins after record {stream.OriginSequence}, and nothing that was asked of this export "
                    + "leaves out what was before: it was removed."
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

    private void Close(ExportLine.Closed said)
    {
        if (_anchor is var (anchor, line))
        {
            Fail(
                line,
                anchor.Stream,
                anchor.Sequence + 1,
                "No record comes after this line of a stream: it was removed."
            );
            return;
        }

        FinishStream();
        using var segment = _segment!;
        var found = segment.Close();
        foreach (var head in said.Heads.Except(found.Heads))
        {
            var stream = _streams.GetValueOrDefault(head.Stream);
            if (stream?.Head.Sequence == head.Sequence)
            {
                Fail(
                    stream.HeadLine,
                    head.Stream,
                    head.Sequence,
                    "Its bytes do not have the hash that the closing line names: it was altered.",
                    stream.RecordsBefore
                );
            }
            else
            {
                Fail(
                    _line,
                    head.Stream,
                    Math.Min(stream?.Head.Sequence ?? 0, head.Sequence) + 1,
                    $"The closing line names record {head.Sequence} as the stream's last, "
                        + "which is not what the file holds: records were removed or added."
                );
            }
        }

        if (said.Records != found.Records || said.Digest != found.Digest || !said.Heads.SequenceEqual(found.Heads))
        {
            Fail(
                _line,
                null,
                null,
                "The closing line does not fit what stands before it: a line of the export itself was altered."
            );
        }

        _coverage.Close();
        (_segment, _current) = (null, null);
    }
}
