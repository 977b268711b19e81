using System.Runtime.CompilerServices;
using CredBroker.Core.Audit;

namespace CredBroker.Storage.Sql.Audit;

/// <summary>Reads the audit log in pages.</summary>
internal sealed class SqlAuditReader(SqlReads reads)
{
    private const int RecordsPerPage = 256;

    /// <summary>
    /// Records of a time range in pages, each read on its own: a snapshot held for a whole export would keep the
    /// database from cleaning up behind its writers.
    /// </summary>
    public async IAsyncEnumerable<AuditRecord> ReadAsync(
        DateTimeOffset from,
        DateTimeOffset to,
        AuditCursor? after,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var streams = await reads.AllAsync<(long, string)>(
            "SELECT number, id FROM audit_stream WHERE id >= @stream ORDER BY id",
            new { stream = after?.Stream ?? "" },
            cancellationToken
        );
        foreach (var (number, stream) in streams)
        {
            var (first, last) = await RunAsync(number, ColumnValue.From(from), ColumnValue.From(to), cancellationToken);
            first = stream == after?.Stream ? Math.Max(first, after.Sequence + 1) : first;
            while (first <= last)
            {
                foreach (var (sequence, bytes) in await PageAsync(number, first, last, cancellationToken))
                {
                    // A record that somebody altered in the database is exported as it stands; whoever verifies the
                    // export is told.
                    yield return new(
                        stream,
                        sequence,
                        AuditRecordHeader.Read(bytes)?.Previous ?? AuditPosition.NoHash,
                        bytes
                    );
                    first = sequence;
                }

                first++;
                await Task.Yield();
            }
        }
    }

    /// <summary>The newest archive.</summary>
    public async ValueTask<AuditArchive?> ArchivedAsync(CancellationToken cancellationToken)
    {
        var found = await reads.FirstAsync<(
            string? Stream,
            long Sequence,
            string Hash,
            string File,
            long Records,
            long Latest,
            long IsInStore
        )>(
            """
            SELECT s.id, a.sequence, a.hash, a.file, a.records, a.latest,
              CASE WHEN EXISTS (SELECT 1 FROM audit_batch b WHERE (b.stream, b.time) <= (a.stream, a.latest))
                THEN 1 ELSE 0 END
            FROM audit_archive a JOIN audit_stream s ON s.number = a.stream ORDER BY a.number DESC LIMIT 1
            """,
            null,
            cancellationToken
        );
        return found.Stream is null
            ? null
            : new(
                new(found.Stream, found.Sequence, found.Hash),
                found.File,
                found.Records,
                ColumnValue.Time(found.Latest)
            )
            {
                IsInStore = found.IsInStore == 1,
            };
    }

    /// <summary>The beginning of the log that can be cut off.</summary>
    public async ValueTask<AuditPrefix?> PrefixAsync(
        DateTimeOffset before,
        int limit,
        CancellationToken cancellationToken
    )
    {
        // Where that many records have one time, there is no shorter beginning.
        var next = await reads.FirstAsync<byte[]>(
            "SELECT bytes FROM audit_record ORDER BY stream, sequence LIMIT 1 OFFSET @limit",
            new { limit },
            cancellationToken
        );
        return
            next is not null
            && AuditRecordHeader.Read(next) is { Time: var time }
            && time < before
            && await PrefixAsync(time, cancellationToken) is { } shorter
            ? shorter
            : await PrefixAsync(before, cancellationToken);
    }

    private async ValueTask<AuditPrefix?> PrefixAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var streams = await reads.AllAsync<(long Number, string Id, long First, long Last)>(
            """
            SELECT s.number, s.id, (SELECT min(b.time) FROM audit_batch b WHERE b.stream = s.number),
              (SELECT max(b.time) FROM audit_batch b WHERE b.stream = s.number)
            FROM audit_stream s WHERE EXISTS (SELECT 1 FROM audit_batch b WHERE b.stream = s.number) ORDER BY s.number
            """,
            null,
            cancellationToken
        );

        // Where the clock was set back, a later stream has older records: then the time is theirs, until the earlier
        // stream is old enough.
        var time = ColumnValue.From(before);
        var cut = Cut();
        while (streams.Skip(cut + 1).Select(stream => stream.First).Append(time).Min() is var earlier && earlier < time)
        {
            time = earlier;
            cut = Cut();
        }

        for (; cut >= 0; cut--)
        {
            var (number, id, _, _) = streams[cut];
            if (await RunAsync(number, long.MinValue, time, cancellationToken) is var (first, last) && first <= last)
            {
                var bytes = await reads.FirstAsync<byte[]>(
                    "SELECT bytes FROM audit_record WHERE stream = @number AND sequence = @last",
                    new { number, last },
                    cancellationToken
                );
                return bytes is null
                    ? null
                    : new(
                        new(id, last, AuditRecordWriter.Hash(bytes)),
                        ColumnValue.Time(time),
                        await BytesAsync(number, last, cancellationToken)
                    );
            }
        }

        return null;

        int Cut() => streams.FindIndex(stream => stream.Last >= time) is >= 0 and var at ? at : streams.Count - 1;
    }

    private ValueTask<long> BytesAsync(long number, long last, CancellationToken cancellationToken) =>
        reads.FirstAsync<long>(
            "SELECT sum(length(bytes)) FROM audit_record WHERE (stream, sequence) <= (@number, @last)",
            new { number, last },
            cancellationToken
        );

    // Within a stream time never goes back, so a time range is one run of sequence numbers.
    private async ValueTask<(long First, long Last)> RunAsync(
        long number,
        long from,
        long to,
        CancellationToken cancellationToken
    )
    {
        // In this order: what is committed meanwhile can then only lie after the newest.
        var newest = await reads.FirstAsync<long>(
            "SELECT coalesce(max(sequence), 0) FROM audit_record WHERE stream = @number",
            new { number },
            cancellationToken
        );
        var last = (await FirstAtOrAfterAsync(to) ?? long.MaxValue) - 1;
        var first = await FirstAtOrAfterAsync(from);
        return (first ?? long.MaxValue, Math.Min(last, newest));

        ValueTask<long?> FirstAtOrAfterAsync(long time) =>
            reads.FirstAsync<long?>(
                """
                SELECT sequence FROM audit_batch WHERE stream = @number AND time >= @time
                ORDER BY time, sequence LIMIT 1
                """,
                new { number, time },
                cancellationToken
            );
    }

    private ValueTask<List<(long Sequence, byte[] Bytes)>> PageAsync(
        long number,
        long first,
        long last,
        CancellationToken cancellationToken
    ) =>
        reads.AllAsync<(long, byte[])>(
            """
            SELECT sequence, bytes FROM audit_record WHERE stream = @number AND sequence BETWEEN @first AND @last
            ORDER BY sequence LIMIT @limit
            """,
            new
            {
                number,
                first,
                last,
                limit = RecordsPerPage,
            },
            cancellationToken
        );
}
