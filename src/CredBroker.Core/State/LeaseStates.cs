namespace CredBroker.Core.State;

/// <summary>Sets of states that belong together.</summary>
public static class LeaseStates
{
    /// <summary>The secret exists or may come to exist, and nobody has ordered its end.</summary>
    public static IReadOnlyList<LeaseState> Live { get; } = [LeaseState.Pending, LeaseState.Active];

    /// <summary>The secret is not confirmed gone: what an order to revoke reaches, and waits for.</summary>
    public static IReadOnlyList<LeaseState> NotOver { get; } =
    [LeaseState.Pending, LeaseState.Active, LeaseState.Revoking, LeaseState.Failed];
}
