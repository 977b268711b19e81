using System.Security.Cryptography;

namespace CredBroker.Core.Audit;

/// <summary>One export while it is written or read: what its closing line must say.</summary>
internal sealed class AuditExportSegment(ExportLine.Opened opened) : IDisposable
{
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public ExportLine.Opened Opened => opened;

    /// <summary>Records so far.</summary>
    public long Records { get; private set; }

    /// <summary>The heads of the streams that are through.</summary>
    public List<AuditPosition> Heads { get; } = [];

    /// <summary>Adds a line to the digest.</summary>
    public void Add(ReadOnlySpan<byte> line, bool isRecord)
    {
        _digest.AppendData(line);
        _digest.AppendData("\n"u8);
        Records += isRecord ? 1 : 0;
    }

    /// <summary>The closing line after what was added.</summary>
    public ExportLine.Closed Close() => new(Records, Heads, Convert.ToHexStringLower(_digest.GetCurrentHash()));

    public void Dispose() => _digest.Dispose();
}
