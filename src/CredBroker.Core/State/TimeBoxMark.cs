namespace CredBroker.Core.State;

/// <summary>The time box that a lease was opened in, beyond the one lease that its approval is used up by.</summary>
/// <param name="Digest">What it fixes: as long as the lease's request resolves to the same, the approval holds.</param>
/// <param name="EndsAt">Its end, which the lease does not outlive; by the count of what has passed.</param>
public sealed record TimeBoxMark(string Digest, DateTimeOffset EndsAt);
