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
