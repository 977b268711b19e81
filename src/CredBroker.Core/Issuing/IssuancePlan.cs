using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Issuing;

/// <summary>Everything an issuance needs to know.</summary>
public sealed record IssuancePlan
{
    /// <summary>
    /// The lease it is for; stands in the child token's name and metadata, and through it in Vault's audit log and the
    /// database user's name.
    /// </summary>
    public required string LeaseId { get; init; }

    /// <summary>Who it is for.</summary>
    public required WorkloadIdentity Identity { get; init; }

    /// <summary>The policy's name for the agent.</summary>
    public required string Agent { get; init; }

    /// <summary>The task it is for.</summary>
    public required AgentTask Task { get; init; }

    /// <summary>What was granted.</summary>
    public required Grant Grant { get; init; }

    /// <summary>The agent's CSR: there exactly if the credential takes one, which the exchange has seen to.</summary>
    public CertificateSigningRequest? Csr { get; init; }

    /// <summary>
    /// The newest committed audit record, which the child token's metadata anchors in Vault's own log.
    /// </summary>
    public required AuditPosition Anchor { get; init; }
}
