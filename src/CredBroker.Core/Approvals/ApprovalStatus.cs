using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>Where a question stands, as the one who asked hears it.</summary>
/// <param name="Approval">The question.</param>
/// <param name="State">Where it stands now: one whose time is over counts as expired, whether or not that is on record.</param>
/// <param name="Interval">How long the agent waits before it looks again.</param>
/// <param name="IsTooSoon">Whether it looked sooner than it was told to, and is told to wait longer.</param>
public sealed record ApprovalStatus(Approval Approval, ApprovalState State, TimeSpan Interval, bool IsTooSoon);
