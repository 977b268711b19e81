using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace CredBroker.Client;

/// <summary>
/// Reads an export line by line and goes on after the last whole record when the connection breaks: what comes then
/// verifies as one file with what came before.
/// </summary>
internal sealed class AuditExportReader(BrokerConnection connection)
{
    /// <summary>A closing line names each stream's head; no other line is longer than 1 MiB.</summary>
    private const int MaxLineBytes = 16 << 20;

    public async IAsyncEnumerable<AuditExportLine> ReadAsync(
        AuditExportRange range,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        for (var isOpen = true; isOpen; )
        {
            var (before, anchor) = (range.Cursor, (ReadOnlyMemory<byte>?)null);
            using var response = await connection
                .SendAsync(HttpMethod.Get, "v1/audit/export" + range.ToQuery(), null, cancellationToken)
                .ConfigureAwait(false);
            var reader = PipeReader.Create(
                await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false),
                new StreamPipeReaderOptions(bufferSize: 64 * 1024)
            );
            try
            {
                while (
                    isOpen
                    && await NextAsync(reader, range.Cursor != before, cancellationToken).ConfigureAwait(false)
                        is { } line
                )
                {
                    var (cursor, type) = Recognise(line.Span);
                    if (type == "export.stream")
                    {
                        // A stream's anchor without a record after it could not be gone on from: it comes with its
                        // first record, or not at all.
                        anchor = line;
                        continue;
                    }

                    if (anchor is { } held)
                    {
                        anchor = null;
                        yield return new(held, null);
                    }

                    range = cursor is null ? range : range with { Cursor = cursor };
                    isOpen = type != "export.closed";
                    yield return new(line, cursor);
                }
            }
            finally
            {
                await reader.CompleteAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// The next whole line; null where the connection broke after some progress, so that it is worth going on.
    /// </summary>
    private static async ValueTask<ReadOnlyMemory<byte>?> NextAsync(
        PipeReader reader,
        bool hasProgress,
        CancellationToken cancellationToken
    )
    {
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                if (result.Buffer.PositionOf((byte)'\n') is { } end)
                {
                    var line = result.Buffer.Slice(0, end).ToArray();
                    reader.AdvanceTo(result.Buffer.GetPosition(1, end));
                    return line;
                }

                if (result.IsCompleted || result.Buffer.Length > MaxLineBytes)
                {
                    throw new HttpIOException(
                        HttpRequestError.ResponseEnded,
                        "The export ended before its closing line."
                    );
                }

                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        catch (IOException) when (hasProgress)
        {
            return null;
        }
    }

    /// <summary>
    /// A record's place, or the type of one of the export's own lines. Records begin with <c>v, stream, seq</c>, the
    /// others with <c>v, type</c>.
    /// </summary>
    private static (string? Cursor, string? Type) Recognise(ReadOnlySpan<byte> line)
    {
        try
        {
            var json = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = 128 });
            string? stream = null;
            for (json.Read(); json.Read() && json.TokenType == JsonTokenType.PropertyName; )
            {
                var name = json.GetString();
                json.Read();
                switch (name)
                {
                    case "stream":
                        stream = json.GetString();
                        break;
                    case "seq":
                        return (stream is null ? null : $"{stream}:{json.GetInt64()}", null);
                    case "type":
                        return (null, json.GetString());
                    default:
                        json.Skip();
                        break;
                }
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            // Not ours to judge: verifying the file tells.
        }

        return (null, null);
    }
}
