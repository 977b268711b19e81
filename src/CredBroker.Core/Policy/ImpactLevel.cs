using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>What misuse of a credential would cost.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<ImpactLevel>))]
public enum ImpactLevel
{
    /// <summary>Little.</summary>
    Low,

    /// <summary>Noticeable.</summary>
    Medium,

    /// <summary>Serious.</summary>
    High,
}
