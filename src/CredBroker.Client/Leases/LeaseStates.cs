namespace CredBroker.Client;

/// <summary>The states of a lease.</summary>
public static class LeaseStates
{
    /// <summary>Recorded; the secret may or may not exist yet.</summary>
    public const string Pending = "pending";

    /// <summary>Issued and live.</summary>
    public const string Active = "active";

    /// <summary>A revocation is ordered and not confirmed.</summary>
    public const string Revoking = "revoking";

    /// <summary>The last attempt to revoke failed; it is tried again.</summary>
    public const string Failed = "failed";

    /// <summary>Vault confirmed that the secret is gone.</summary>
    public const string Revoked = "revoked";

    /// <summary>Over, but nothing could be revoked: the value stays valid until it is rotated.</summary>
    public const string Ended = "ended";

    /// <summary>Every state, in the order of a lease's life.</summary>
    public static IReadOnlyList<string> All { get; } = [Pending, Active, Revoking, Failed, Revoked, Ended];

    /// <summary>Whether nothing more will happen to a lease in this state.</summary>
    public static bool IsFinal(string state) => state is Revoked or Ended;
}
