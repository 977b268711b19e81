using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>A page of open time boxes.</summary>
/// <param name="TimeBoxes">They, oldest first.</param>
/// <param name="Next">The cursor of the next page, where there is one.</param>
public sealed record TimeBoxPage(IReadOnlyList<TimeBox> TimeBoxes, string? Next);
