namespace CredBroker.Core.State;

/// <summary>A broker on a store, as the store sees it.</summary>
/// <param name="Id">What its audit records call it; null where the store is one broker's alone.</param>
/// <param name="Since">Since when it is connected without a break; null where the store does not say.</param>
/// <param name="SeenAt">When it was heard of last; null where the store does not say.</param>
public sealed record StoreBroker(string? Id, DateTimeOffset? Since, DateTimeOffset? SeenAt)
{
    /// <summary>The only one there can be.</summary>
    public static IReadOnlyList<StoreBroker> Alone { get; } = [new(null, null, null)];
}
