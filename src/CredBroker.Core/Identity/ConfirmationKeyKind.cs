using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.Identity;

/// <summary>What a confirmation key's thumbprint was taken of.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<ConfirmationKeyKind>))]
public enum ConfirmationKeyKind
{
    /// <summary>A JSON Web Key (RFC 7638; <c>jkt</c> in RFC 9449).</summary>
    Jwk,

    /// <summary>A certificate's DER (<c>x5t#S256</c> in RFC 8705).</summary>
    Certificate,
}
