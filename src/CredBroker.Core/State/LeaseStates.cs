namespace CredBroker.Core.State;

/// <summary>Sets of states that belong together.</summary>
public static class LeaseStates
{
    /// <summary>The secret exists or may come to exist, and nobody has ordered its end.</summary>
    public static IReadOnlyList<LeaseState> Live { get; } = [LeaseState.Pending, LeaseState.Active];

    /// <summary>The secret may still be accepted: it is live, or its end is ordered and not confirmed.</summary>
    public static IReadOnlyList<LeaseState> NotOver { get; } = [.. Live, LeaseState.Revoking, LeaseState.Failed];
}
