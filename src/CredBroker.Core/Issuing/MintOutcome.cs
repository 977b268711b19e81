using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Issuing;

/// <summary>The outcome of minting.</summary>
public abstract record MintOutcome
{
    private MintOutcome() { }

    /// <summary>The secret was made and is what was asked for.</summary>
    /// <param name="Secret">The secret.</param>
    /// <param name="Handles">What revokes it.</param>
    /// <param name="EndsAt">When Vault or the certificate ends it, if that is known.</param>
    /// <param name="GraceUntil">Until when the backend may accept it with Vault unreachable.</param>
    public sealed record Minted(
        IssuedSecret Secret,
        SecretHandles Handles,
        DateTimeOffset? EndsAt,
        DateTimeOffset? GraceUntil
    ) : MintOutcome;

    /// <summary>Vault answered that no secret was made.</summary>
    public sealed record Refused(Refusal Refusal) : MintOutcome;

    /// <summary>A secret was made that is not what was asked for; it must be revoked and not delivered.</summary>
    public sealed record Wrong(Refusal Refusal, SecretHandles Handles) : MintOutcome;

    /// <summary>It is not known whether a secret was made.</summary>
    /// <param name="Refusal">What the agent is told.</param>
    /// <param name="Late">Vault's answer, if the call is still under way: what it brings must not be delivered.</param>
    public sealed record Unknown(Refusal Refusal, Task<MintOutcome>? Late = null) : MintOutcome;
}
