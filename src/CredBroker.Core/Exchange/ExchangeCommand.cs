using CredBroker.Core.Identity;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Exchange;

/// <summary>One request for a credential, bounded and checked for form at the edge.</summary>
public sealed record ExchangeCommand
{
    /// <summary>The caller's proof, not yet verified.</summary>
    public required IdentityProof Proof { get; init; }

    /// <summary>The declared task.</summary>
    public required AgentTask Task { get; init; }

    /// <summary>What is asked for.</summary>
    public required CredentialRequest Request { get; init; }

    /// <summary>The parsed CSR, where the request carries one.</summary>
    public CertificateSigningRequest? Csr { get; init; }

    /// <summary>The caller's key against double issuance; unique per verified identity for 24 hours.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The approval that the caller redeems; null where it asks without one.</summary>
    public string? ApprovalId { get; init; }

    /// <summary>Who asks and under which trace, for the audit event of a refusal.</summary>
    public required CallContext Call { get; init; }
}
