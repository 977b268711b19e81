namespace CredBroker.Core.State;

/// <summary>Sets of states that belong together.</summary>
public static class LeaseStates
{
    /// <summary>The secret exists or may come to exist, and nobody has ordered its end.</summary>
    public static IReadOnlyList<LeaseState> Live { get; } = [LeaseState.Pending, LeaseState.Active];
}
