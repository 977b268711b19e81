using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Issuing;

/// <summary>The outcome of a revocation.</summary>
public abstract record RevokeOutcome
{
    private RevokeOutcome() { }

    /// <summary>Vault confirmed that it is gone (a lease that Vault does not know counts).</summary>
    public sealed record Confirmed : RevokeOutcome;

    /// <summary>
    /// The token can mint nothing more, but absence is not proven: no Vault lease id is known. A sweep decides.
    /// </summary>
    public sealed record Unproven : RevokeOutcome;

    /// <summary>It failed; <paramref name="Error"/> holds Vault's or the backend's words, without secrets.</summary>
    public sealed record Failed(string Error) : RevokeOutcome;
}
