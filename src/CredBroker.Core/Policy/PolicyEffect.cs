using System.Text.Json.Serialization;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>The effect of a decision; a stricter one has the higher number.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<PolicyEffect>))]
public enum PolicyEffect
{
    /// <summary>May run.</summary>
    Allow,

    /// <summary>A human decides.</summary>
    Challenge,

    /// <summary>May not run.</summary>
    Deny,
}
