using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>What a credential's holder can do.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<AccessKind>))]
public enum AccessKind
{
    /// <summary>Read data.</summary>
    Read,

    /// <summary>Change data.</summary>
    Write,

    /// <summary>Reach outside the organisation.</summary>
    External,

    /// <summary>Change systems, rights or secrets.</summary>
    Privileged,
}
