namespace CredBroker.Core.Issuing;

/// <summary>Seam: where the anchor is kept, outside of the store. What cannot be done is said, never thrown.</summary>
public interface IAnchorPlace
{
    /// <summary>Reads the anchor.</summary>
    ValueTask<AnchorReading> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Writes it in the place of the version that was read (0 for none), or not at all.</summary>
    ValueTask<AnchorWriting> WriteAsync(StoreAnchor anchor, long version, CancellationToken cancellationToken);
}

/// <summary>What came of reading the anchor.</summary>
public abstract record AnchorReading
{
    private AnchorReading() { }

    /// <summary>It says this.</summary>
    public sealed record Found(StoreAnchor Anchor, long Version) : AnchorReading;

    /// <summary>There is none.</summary>
    public sealed record None : AnchorReading;

    /// <summary>The broker has no right to it, or there is no place for it.</summary>
    public sealed record Barred(string Why) : AnchorReading;

    /// <summary>Whether there is one is not known.</summary>
    public sealed record Failed(string Why) : AnchorReading;
}

/// <summary>What came of writing it.</summary>
public abstract record AnchorWriting
{
    private AnchorWriting() { }

    /// <summary>It is there.</summary>
    public sealed record Written : AnchorWriting;

    /// <summary>Somebody else has written since it was read. Nothing was written.</summary>
    public sealed record Conflict : AnchorWriting;

    /// <summary>The broker has no right to, or there is no place for it.</summary>
    public sealed record Barred(string Why) : AnchorWriting;

    /// <summary>It may be there.</summary>
    public sealed record Failed(string Why) : AnchorWriting;
}
