using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>A time box after it was taken back.</summary>
/// <param name="TimeBox">It, as it stands.</param>
/// <param name="Revoking">How many of its leases were claimed for revocation; null where that was not asked for.</param>
public sealed record TakenBackTimeBox(TimeBox TimeBox, int? Revoking);
