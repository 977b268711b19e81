namespace CredBroker.Client;

/// <summary>The requests of a group after a person has decided all of them.</summary>
/// <param name="Approvals">The requests as they stand: others may have to agree, too.</param>
public sealed record ApprovalGroupDecisionResponse(IReadOnlyList<ApprovalResponse> Approvals);
