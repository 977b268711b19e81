namespace CredBroker.Core.Revocations;

/// <summary>
/// The store does not take a person's order, and there is no room to keep it until it does. It was carried out at Vault
/// once; nothing of it is on record.
/// </summary>
public sealed class OrderNotKeptException : Exception
{
    /// <summary>Says what the one pass came to.</summary>
    /// <param name="dead">How many known leases Vault has confirmed gone.</param>
    /// <param name="areGone">Whether nothing that it reaches is left.</param>
    /// <param name="inner">What the store said.</param>
    public OrderNotKeptException(int dead, bool areGone, Exception inner)
        : base(
            $"An order to revoke was carried out once and is not kept: {dead} leases are gone, {(areGone ? "none" : "some")} left.",
            inner
        ) => (Dead, AreGone) = (dead, areGone);

    /// <summary>How many known leases Vault has confirmed gone.</summary>
    public int Dead { get; }

    /// <summary>Whether nothing that it reaches is left.</summary>
    public bool AreGone { get; }
}
