namespace CredBroker.Core.Approvals;

/// <summary>One request of a group as the person saw it.</summary>
/// <param name="ApprovalId">Which.</param>
/// <param name="Digest">What it was about.</param>
public sealed record ApprovalSeen(string ApprovalId, string Digest);
