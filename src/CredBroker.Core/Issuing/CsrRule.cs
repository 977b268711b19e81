using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Issuing;

/// <summary>
/// Which credentials take a signing request: those whose certificate is for the agent's own key, and no other. The
/// exchange asks before it decides to issue, the issuer once more before it makes anything.
/// </summary>
public static class CsrRule
{
    /// <summary>What is wrong with the presence or absence of a CSR; null where nothing is.</summary>
    public static Refusal? Check(VaultBinding binding, CertificateSigningRequest? csr) =>
        (binding is VaultBinding.Pki { Mode: PkiMode.Sign }, csr is not null) switch
        {
            (true, false) => new(
                RefusalCode.CsrInvalid,
                "This credential signs your own key: send a PKCS#10 request as `csr`."
            ),
            (false, true) => new(RefusalCode.CsrInvalid, "This credential takes no `csr`. Leave it out."),
            _ => null,
        };
}
