namespace CredBroker.Core.Leases;

/// <summary>Revokes leases whose time is over. Fired each second; waits on the clock for those due before the next firing.</summary>
public sealed class ExpirySweep
{
    /// <summary>One firing.</summary>
    public ValueTask RunAsync(CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");
}

/// <summary>Carries on with revocations that are ordered and not confirmed: open orders, lapsed claims, failed attempts whose time has come.</summary>
public sealed class RevocationRetry
{
    /// <summary>One firing.</summary>
    public ValueTask RunAsync(CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");
}

/// <summary>Recovers pending leases past their deadline, and sweeps the role paths for secrets that no lease knows.</summary>
public sealed class PendingReconcile
{
    /// <summary>One firing.</summary>
    public ValueTask RunAsync(CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");
}

/// <summary>Re-evaluates every live lease under the newest policy and revokes what it no longer allows.</summary>
public sealed class PolicyReevaluation
{
    /// <summary>One pass, if a version was applied since the last.</summary>
    public ValueTask RunAsync(CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");
}
