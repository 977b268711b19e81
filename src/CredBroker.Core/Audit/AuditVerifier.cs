using System.Buffers;
using System.IO.Pipelines;

namespace CredBroker.Core.Audit;

/// <summary>
/// Verifies an export offline: that within each stream nothing was altered, removed, inserted, doubled or reordered,
/// and that the file is whole.
/// </summary>
public static class AuditVerifier
{
    // An export's closing line names the head of each stream, some 110 bytes for every start of a broker.
    private const int MaxLineBytes = 16 << 20;

    /// <summary>
    /// Reads the file line by line; memory is bounded by its longest line and the number of its streams. Stops at the
    /// first fault.
    /// </summary>
    /// <param name="file">The export, or several one after the other.</param>
    /// <param name="expected">
    /// Positions known from elsewhere (an earlier export's heads, Vault's audit log), each of which must be in the
    /// file.
    /// </param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <param name="from">The file must hold everything from this time on; null to ask for nothing.</param>
    /// <param name="to">
    /// And everything before this time; without <paramref name="from"/> from where the file begins, which its range says.
    /// </param>
    public static async ValueTask<AuditVerification> VerifyAsync(
        Stream file,
        IReadOnlyCollection<AuditPosition> expected,
        CancellationToken cancellationToken,
        DateTimeOffset? from = null,
        DateTimeOffset? to = null
    )
    {
        var check = new AuditChainCheck(expected, (from, to));
        var reader = PipeReader.Create(file, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(cancellationToken);
                var buffer = result.Buffer;
                while (check.Fault is null && buffer.PositionOf((byte)'\n') is { } end)
                {
                    var line = buffer.Slice(0, end);
                    check.Add(line.IsSingleSegment ? line.FirstSpan : line.ToArray());
                    buffer = buffer.Slice(buffer.GetPosition(1, end));
                }

                if (check.Fault is null && buffer.Length > MaxLineBytes)
                {
                    check.AddUnreadable($"The line is longer than {MaxLineBytes} bytes; no export has such a line.");
                }
                else if (check.Fault is null && result.IsCompleted && !buffer.IsEmpty)
                {
                    check.AddUnreadable(
                        "The file ends within a line: it was cut off. Resume the export after the last whole record."
                    );
                }

                if (check.Fault is not null || result.IsCompleted)
                {
                    return check.Finish();
                }

                reader.AdvanceTo(buffer.Start, buffer.End);
            }
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }
}
