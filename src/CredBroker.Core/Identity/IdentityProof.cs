using CredBroker.Core.Text;

namespace CredBroker.Core.Identity;

/// <summary>What a caller sent to prove who it is, not yet verified.</summary>
public abstract record IdentityProof
{
    private IdentityProof() { }

    /// <summary>A bearer JWT: an OIDC token or a JWT-SVID; which one decides the verifier.</summary>
    /// <param name="Token">The token.</param>
    /// <param name="Source">Where it came from: one source waits for its own tokens to be checked, not for another's.</param>
    public sealed record Bearer(SecretText Token, string Source = "") : IdentityProof;

    /// <summary>
    /// A token that is bound to a key, with the proof that the sender holds that key (RFC 9449 DPoP, WIMSE WPT). Never
    /// to be taken for a bearer's: the token alone says nothing about who sent it. Not accepted yet.
    /// </summary>
    /// <param name="Token">The bound token.</param>
    /// <param name="Possession">The proof of possession, a JWT of the sender's own.</param>
    /// <param name="Request">The request that the proof must have been made for.</param>
    public sealed record KeyBoundBearer(SecretText Token, SecretText Possession, ProvenRequest Request) : IdentityProof;

    /// <summary>
    /// The certificate with which the sender opened its TLS connection (X509-SVID, RFC 8705). Not accepted yet.
    /// </summary>
    /// <param name="Chain">The certificates in DER as TLS carried them, the sender's own first.</param>
    public sealed record Certificate(IReadOnlyList<ReadOnlyMemory<byte>> Chain) : IdentityProof;
}
