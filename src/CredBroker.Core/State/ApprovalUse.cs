namespace CredBroker.Core.State;

/// <summary>That a lease opens on an approval, which is used up by it.</summary>
/// <param name="ApprovalId">Which one.</param>
/// <param name="Digest">What the request resolves to now: it must be what people agreed to.</param>
public sealed record ApprovalUse(string ApprovalId, string Digest);
