using CredBroker.Core.Text;

namespace CredBroker.Core.Identity;

/// <summary>What a caller sent to prove who it is, not yet verified.</summary>
public abstract record IdentityProof
{
    private IdentityProof() { }

    /// <summary>A bearer JWT: an OIDC token or a JWT-SVID; which one decides the verifier.</summary>
    public sealed record Bearer(SecretText Token) : IdentityProof;
}
