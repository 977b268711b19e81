using CredBroker.Core.Exchange;

namespace CredBroker.Core.Policy;

/// <summary>Loads the policy from its source, applies it as a committed version, and holds the newest applied one. A bad edit keeps the last good version.</summary>
public sealed class PolicyControl
{
    /// <summary>The newest applied policy; null until one has been applied.</summary>
    public ActivePolicy? Current => throw new NotSupportedException();

    /// <summary>The faults of the last refused edit, with line and column; empty when the newest document is the applied one.</summary>
    public IReadOnlyList<string> LastFaults => throw new NotSupportedException();

    /// <summary>At start: takes up the newest stored version, then reads the source. Returns whether a policy is in force.</summary>
    public ValueTask<bool> StartAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Reads the source and applies it if its content is new and good. Returns whether a new version was applied.</summary>
    public ValueTask<bool> RefreshAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Decides a request as the exchange would, without recording or issuing anything; null while no policy is in force.</summary>
    public Decision? Evaluate(Identity.WorkloadIdentity identity, AgentTask task, CredentialRequest request) => Current?.Set.Evaluate(identity, task, request);
}

/// <summary>An applied policy.</summary>
/// <param name="Version">Its number, 1 for the first.</param>
/// <param name="Set">The compiled policy.</param>
/// <param name="Document">Its text.</param>
/// <param name="AppliedAt">When it was applied.</param>
public sealed record ActivePolicy(long Version, PolicySet Set, PolicyDocument Document, DateTimeOffset AppliedAt);
