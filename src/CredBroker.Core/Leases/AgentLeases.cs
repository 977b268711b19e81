using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Leases;

/// <summary>What an agent may do with its own leases and tasks. A lease is visible only to the issuer, subject and instance that it was issued to.</summary>
public sealed class AgentLeases
{
    /// <summary>The lease's state.</summary>
    public ValueTask<LeaseOutcome> FindAsync(IdentityProof proof, string leaseId, CallContext call, CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");

    /// <summary>Renews within the decision's limit, re-evaluated under current policy. A null ttl asks for what was granted at first.</summary>
    public ValueTask<LeaseOutcome> RenewAsync(IdentityProof proof, string leaseId, TimeSpan? ttl, CallContext call, CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");

    /// <summary>Gives the secret back. Waits at most 5 s for the confirmation: the lease is then revoked or ended, or still revoking.</summary>
    public ValueTask<LeaseOutcome> ReleaseAsync(IdentityProof proof, string leaseId, CallContext call, CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");

    /// <summary>Records what the agent says it did with the secret.</summary>
    public ValueTask<LeaseOutcome> ReportOutcomeAsync(IdentityProof proof, string leaseId, TaskOutcome outcome, CallContext call, CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");

    /// <summary>Closes a task: everything issued for it is revoked. Null means closed.</summary>
    public ValueTask<Refusal?> CloseTaskAsync(IdentityProof proof, string process, string taskId, CallContext call, CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");
}

/// <summary>What became of an agent's call about a lease.</summary>
public abstract record LeaseOutcome
{
    private LeaseOutcome()
    {
    }

    /// <summary>The lease as it stands after the call.</summary>
    public sealed record Found(Lease Lease) : LeaseOutcome;

    /// <summary>Refused.</summary>
    public sealed record Refused(Refusal Refusal) : LeaseOutcome;
}

/// <summary>An agent's report of what it did: a statement, recorded as such.</summary>
/// <param name="Status"><c>succeeded</c>, <c>failed</c> or <c>abandoned</c>.</param>
/// <param name="Summary">At most 2,000 characters.</param>
/// <param name="ToolCall">The tool call as it was made.</param>
public sealed record TaskOutcome(string Status, string Summary, ToolCall? ToolCall);
