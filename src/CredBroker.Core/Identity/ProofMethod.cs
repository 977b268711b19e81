using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.Identity;

/// <summary>How a workload proved its identity.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<ProofMethod>))]
public enum ProofMethod
{
    /// <summary>A token of a configured OIDC issuer.</summary>
    Oidc,

    /// <summary>A SPIFFE JWT-SVID.</summary>
    JwtSvid,
}
