using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>A page of what an executor may redeem.</summary>
/// <param name="Approvals">The questions, oldest first.</param>
/// <param name="Next">The last one, where there are more.</param>
public sealed record ExecutorPage(IReadOnlyList<Approval> Approvals, string? Next);
