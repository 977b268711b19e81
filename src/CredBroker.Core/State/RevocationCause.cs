using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.State;

/// <summary>Why a lease was revoked or ended.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<RevocationCause>))]
public enum RevocationCause
{
    /// <summary>Its time was over.</summary>
    Expiry,

    /// <summary>An admin ordered it.</summary>
    Admin,

    /// <summary>An admin, or a tripwire, ordered it together with a hold.</summary>
    Quarantine,

    /// <summary>A new policy no longer allows it.</summary>
    PolicyChange,

    /// <summary>Its task was closed.</summary>
    TaskClosed,

    /// <summary>Its agent gave it back.</summary>
    Released,

    /// <summary>Issuance did not complete; recovery removed what there may have been.</summary>
    Recovery,
}
