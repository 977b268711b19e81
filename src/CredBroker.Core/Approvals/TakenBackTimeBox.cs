using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>A time box after it was taken back.</summary>
/// <param name="TimeBox">It, as it stands.</param>
/// <param name="RevocationId">The order that takes its leases back; null where that was not asked for.</param>
public sealed record TakenBackTimeBox(TimeBox TimeBox, string? RevocationId);
