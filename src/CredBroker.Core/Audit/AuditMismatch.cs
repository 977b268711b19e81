namespace CredBroker.Core.Audit;

/// <summary>Two neighbouring records of which the second does not name the first's hash: one of them was altered.</summary>
internal sealed record AuditMismatch(AuditPosition First, long FirstLine, AuditPosition Second, long SecondLine)
{
    /// <summary>The line after them decides: if it vouches for the second, the first was altered. Empty when there is none.</summary>
    public AuditFault Settle(ReadOnlySpan<byte> next)
    {
        var isSecondVouchedFor = AuditRecordHeader.Read(next) is { } header
            ? header.Stream == Second.Stream && header.Previous == Second.Hash
            : ExportLine.Read(next) is ExportLine.Closed closed && closed.Heads.Contains(Second);
        return isSecondVouchedFor && FirstLine > 0
            ? new(FirstLine, First.Stream, First.Sequence, $"Its bytes have another hash than the record after it (line {SecondLine}) names: it was altered.")
            : new(SecondLine, Second.Stream, Second.Sequence, "It does not name the hash of what stands before it: it was altered or inserted, or what stands before it was.");
    }
}
