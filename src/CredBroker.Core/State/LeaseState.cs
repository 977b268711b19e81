using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.State;

/// <summary>
/// Where a lease stands. <c>pending → active → revoking → revoked</c>; <c>pending → revoking</c>; <c>revoking → failed
/// → revoked</c>; without reach <c>pending|active → ended</c>.
/// </summary>
[JsonConverter(typeof(KebabCaseEnumConverter<LeaseState>))]
public enum LeaseState
{
    /// <summary>Recorded; the secret may or may not exist yet.</summary>
    Pending,

    /// <summary>Issued and live.</summary>
    Active,

    /// <summary>A revocation is ordered and not confirmed.</summary>
    Revoking,

    /// <summary>The last attempt to revoke failed; it is retried and shown.</summary>
    Failed,

    /// <summary>Vault confirmed that the secret is gone.</summary>
    Revoked,

    /// <summary>Over, but nothing could be revoked: the value stays valid until it is rotated.</summary>
    Ended,
}

/// <summary>Why a lease was revoked or ended.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<RevocationCause>))]
public enum RevocationCause
{
    /// <summary>Its time was over.</summary>
    Expiry,

    /// <summary>An admin ordered it.</summary>
    Admin,

    /// <summary>A new policy no longer allows it.</summary>
    PolicyChange,

    /// <summary>Its task was closed.</summary>
    TaskClosed,

    /// <summary>Its agent gave it back.</summary>
    Released,

    /// <summary>Issuance did not complete; recovery removed what there may have been.</summary>
    Recovery,
}

/// <summary>Sets of states that belong together.</summary>
public static class LeaseStates
{
    /// <summary>The secret exists or may come to exist, and nobody has ordered its end.</summary>
    public static IReadOnlyList<LeaseState> Live { get; } = [LeaseState.Pending, LeaseState.Active];
}
