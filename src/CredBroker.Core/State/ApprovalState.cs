namespace CredBroker.Core.State;

/// <summary>Where a question to people stands. Whatever is not <see cref="Approved"/> lets nothing be issued.</summary>
public enum ApprovalState
{
    /// <summary>Asked; not enough people have agreed yet.</summary>
    Pending,

    /// <summary>Everybody who had to has agreed; it may be redeemed once.</summary>
    Approved,

    /// <summary>Somebody who might agree has refused.</summary>
    Denied,

    /// <summary>Its time passed before it was redeemed.</summary>
    Expired,

    /// <summary>Something took it back: a new policy, a revocation, a new epoch of the store.</summary>
    Voided,

    /// <summary>Used up by the one lease that was opened with it.</summary>
    Redeemed,
}
