namespace CredBroker.Core.State;

/// <summary>That a lease opens on an approval, which is used up by it, or in the time box that was given with one.</summary>
/// <param name="ApprovalId">Which one.</param>
/// <param name="Digest">What people agreed to: where it is used up, what the request resolves to now must be that.</param>
/// <param name="TimeBoxDigest">
/// What a time box fixes of what the request resolves to now: of the one that opens with it, if people gave one, or of the
/// one that the lease opens in, which must be the same.
/// </param>
public sealed record ApprovalUse(string ApprovalId, string Digest, string TimeBoxDigest)
{
    /// <summary>Whether the approval is used up already and its time box is open: the lease opens in that.</summary>
    public bool IsInTimeBox { get; init; }
}
