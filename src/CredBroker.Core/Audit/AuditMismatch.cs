namespace CredBroker.Core.Audit;

/// <summary>
/// Two neighbouring records of which the second does not name the first's hash: one of them was altered.
/// </summary>
internal sealed record AuditMismatch(AuditPosition First, long FirstLine, AuditPosition Second, long SecondLine)
{
    /// <summary>
    /// The line after them decides: what vouches for the second accuses the first. Empty when there is no such line.
    /// </summary>
    public AuditFault Settle(ReadOnlySpan<byte> next)
    {
        var vouched = VouchedBy(next);
        if (FirstLine == 0 || (vouched is not null && vouched != Second.Hash))
        {
            return new(
                SecondLine,
                Second.Stream,
                Second.Sequence,
                "It does not name the hash of what stands before it: it was altered or inserted."
            );
        }

        return new(
            FirstLine,
            First.Stream,
            First.Sequence,
            vouched is null
                ? "Its bytes have another hash than the record after it "
                    + $"(line {SecondLine}) names: one of the two was altered."
                : $"Its bytes have another hash than the record after it (line {SecondLine}) names: it was altered."
        );
    }

    private string? VouchedBy(ReadOnlySpan<byte> next)
    {
        if (AuditRecordHeader.Read(next) is { } header)
        {
            return header.Stream == Second.Stream ? header.Previous : null;
        }

        return ExportLine.Read(next) is ExportLine.Closed closed
            ? closed.Heads.FirstOrDefault(head => head.Stream == Second.Stream)?.Hash
            : null;
    }
}
