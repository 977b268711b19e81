using CredBroker.Core.Issuing;

namespace CredBroker.Testing.Broker;

/// <summary>
/// Where an anchor is kept, as Vault keeps it: by check-and-set. Without rights, as where setup is of an earlier version,
/// unless a test gives them.
/// </summary>
internal sealed class FakeAnchorPlace : IAnchorPlace
{
    public bool IsBarred { get; set; } = true;

    /// <summary>Why it does not answer; null where it does.</summary>
    public string? Away { get; set; }

    public StoreAnchor? Anchor { get; set; }

    public long Version { get; private set; }

    /// <summary>Runs before it is written, as another broker may be faster.</summary>
    public Func<Task>? OnWriting { get; set; }

    public ValueTask<AnchorReading> ReadAsync(CancellationToken cancellationToken) =>
        new(
            (Away, IsBarred, Anchor) switch
            {
                ({ } why, _, _) => new AnchorReading.Failed(why),
                (_, true, _) => new AnchorReading.Barred("no rights"),
                (_, _, null) => new AnchorReading.None(),
                (_, _, { } anchor) => new AnchorReading.Found(anchor, Version),
            }
        );

    public async ValueTask<AnchorWriting> WriteAsync(
        StoreAnchor anchor,
        long version,
        CancellationToken cancellationToken
    )
    {
        if (OnWriting is { } hook)
        {
            OnWriting = null;
            await hook();
        }

        switch (Away, IsBarred)
        {
            case ({ } why, _):
                return new AnchorWriting.Failed(why);
            case (_, true):
                return new AnchorWriting.Barred("no rights");
        }

        if (version != (Anchor is null ? 0 : Version))
        {
            return new AnchorWriting.Conflict();
        }

        (Anchor, Version) = (anchor, Version + 1);
        return new AnchorWriting.Written();
    }
}
