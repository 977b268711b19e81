namespace CredBroker.Server.Identity;

/// <summary>Every configured source of keys.</summary>
internal sealed class KeySources(IReadOnlyList<KeySource> all)
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<KeySource> All => all;

    /// <summary>The issuers and trust domains whose tokens cannot be verified now, for want of keys.</summary>
    public IReadOnlyList<string> WithoutKeys() => [.. all.Where(s => s.Current is null).Select(s => s.Name)];
}
