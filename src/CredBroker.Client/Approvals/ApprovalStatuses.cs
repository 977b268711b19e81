namespace CredBroker.Client;

/// <summary>What a request for approval can be answered with. Any other word means that it is not approved.</summary>
public static class ApprovalStatuses
{
    /// <summary>People have not decided yet.</summary>
    public const string Pending = "authorization_pending";

    /// <summary>The same, and the caller looks too often: the interval is longer from now on.</summary>
    public const string SlowDown = "slow_down";

    /// <summary>It may be redeemed.</summary>
    public const string Approved = "approved";

    /// <summary>A person has denied it, or it was taken back.</summary>
    public const string Denied = "access_denied";

    /// <summary>Its time is over.</summary>
    public const string Expired = "expired_token";

    /// <summary>It is used up, for one lease. Whether a secret was delivered, that lease says.</summary>
    public const string Redeemed = "redeemed";
}
