using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Testing.Broker;

/// <summary>Knows callers by the text of their token: <c>workload/instance</c>; anything else is refused.</summary>
internal sealed class FakeWorkloadVerifier : IWorkloadVerifier
{
    public static IdentityProof Token(string workload, string instance = "1") =>
        new IdentityProof.Bearer(new SecretText($"{workload}/{instance}"));

    /// <summary>Called when a proof comes in: its exchange has noted the fence.</summary>
    public Action? Entered { get; set; }

    public ValueTask<VerificationOutcome> VerifyAsync(IdentityProof proof, CancellationToken cancellationToken)
    {
        Entered?.Invoke();
        var parts = ((IdentityProof.Bearer)proof).Token.Reveal().Split('/');
        return new(
            parts is [{ Length: > 0 } workload, var instance]
                ? new VerificationOutcome.Verified(
                    new()
                    {
                        Proof = ProofMethod.Oidc,
                        Issuer = "https://idp.example",
                        Subject = $"sub-{workload}-{instance}",
                        Workload = workload,
                        Instance = instance,
                        ProofExpiresAt = DateTimeOffset.MaxValue,
                        ProofHash = "hash",
                    }
                )
                : new VerificationOutcome.Refused(new(RefusalCode.TokenMalformed, "no token"))
        );
    }
}
