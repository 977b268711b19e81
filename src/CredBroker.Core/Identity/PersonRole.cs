using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.Identity;

/// <summary>What a person may do. No role includes another.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<PersonRole>))]
public enum PersonRole
{
    /// <summary>Revokes, closes tasks, applies policy.</summary>
    Admin,

    /// <summary>Approves or denies requests.</summary>
    Approver,

    /// <summary>Reads and exports the audit trail.</summary>
    Auditor,

    /// <summary>Sees leases and processes.</summary>
    Viewer,
}
