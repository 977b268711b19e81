using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using CredBroker.Core.Audit;

namespace CredBroker.Cli.Commands.Audit;

/// <summary>An export on disk that is to be gone on with.</summary>
internal static class ExportFile
{
    // As the verifier's: no line of an export is longer.
    private const int MaxLineBytes = 16 << 20;

    private static ReadOnlySpan<byte> OwnLine => """{"v":1,"type":"export."""u8;

    private static ReadOnlySpan<byte> StreamLine => """{"v":1,"type":"export.stream","""u8;

    /// <summary>
    /// Cuts off what cannot be gone on from (a line that is not whole, a stream's anchor without a record after it),
    /// moves to the end, and gives the cursor of the last record; null where the file has none.
    /// </summary>
    public static async Task<string?> PrepareAsync(FileStream file, CancellationToken cancellationToken)
    {
        var (cursor, whole, read) = ((string?)null, 0L, 0L);
        var reader = PipeReader.Create(file, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                var bytes = line.IsSingleSegment ? line.FirstSpan : line.ToArray();
                var header = AuditRecordHeader.Read(bytes);
                if (header is null && !bytes.StartsWith(OwnLine))
                {
                    throw NoExport(file.Name);
                }

                cursor = header is null ? cursor : new AuditCursor(header.Stream, header.Sequence).ToString();
                read += line.Length + 1;
                whole = bytes.StartsWith(StreamLine) ? whole : read;
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (result.IsCompleted)
            {
                break;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }

        await reader.CompleteAsync();
        if (cursor is null && whole == 0 && file.Length > 0)
        {
            throw NoExport(file.Name);
        }

        file.SetLength(whole);
        file.Seek(0, SeekOrigin.End);
        return cursor;
    }

    /// <summary>The lines of an export, without their line feeds.</summary>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> LinesAsync(
        string path,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        var reader = PipeReader.Create(file, new StreamPipeReaderOptions(bufferSize: 64 * 1024));
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                yield return buffer.Slice(0, end).ToArray();
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (result.IsCompleted)
            {
                break;
            }

            if (buffer.Length > MaxLineBytes)
            {
                throw NoExport(path);
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }

        await reader.CompleteAsync();
    }

    private static CliException NoExport(string path) =>
        CliException.Usage(
            $"{path} is no export, or was altered.",
            "Name the file of an earlier export, or export without --resume."
        );
}
