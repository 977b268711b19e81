using System.Text.Json.Serialization;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.Core.State;

/// <summary>
/// Everything a decision was made from, and the decision. Stored with every lease, and written into the audit event of
/// every request, so that a later policy can be tried on it.
/// </summary>
public sealed record DecisionRecord
{
    /// <summary>The decision's id, as told to the agent.</summary>
    public required string Id { get; init; }

    /// <summary>The version number of the policy that decided.</summary>
    public required long PolicyVersion { get; init; }

    /// <summary>The verified identity with every claim that its issuer's settings list.</summary>
    public required WorkloadIdentity Identity { get; init; }

    /// <summary>The declared task.</summary>
    public required AgentTask Task { get; init; }

    /// <summary>The whole request.</summary>
    public required CredentialRequest Request { get; init; }

    /// <summary>The approval that lets it be, where policy asked for one; null where none was needed or there is none.</summary>
    public ApprovalMark? Approval { get; init; }

    /// <summary>What policy said. Stored and recorded as <c>decision</c>.</summary>
    [JsonPropertyName("decision")]
    public required Decision Verdict { get; init; }
}
