using System.Threading.Channels;

namespace CredBroker.Core.Leases;

/// <summary>
/// Says that there is something to revoke, to the one who carries revocations out. It says so once, however often it is
/// raised before it is heard: what there is to do stands in the store.
/// </summary>
public sealed class RevocationSignal
{
    private readonly Channel<bool> _raised = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    /// <summary>There is something to do.</summary>
    public void Raise() => _raised.Writer.TryWrite(true);

    /// <summary>Returns at once if it was raised since it was heard last, else when it is.</summary>
    public async ValueTask HearAsync(CancellationToken cancellationToken) =>
        await _raised.Reader.ReadAsync(cancellationToken);
}
