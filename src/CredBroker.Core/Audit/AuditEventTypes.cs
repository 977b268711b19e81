namespace CredBroker.Core.Audit;

/// <summary>The types of audit events.</summary>
public static class AuditEventTypes
{
    /// <summary>A broker process opened its stream; names the heads it found.</summary>
    public const string StreamOpened = "stream.opened";

    /// <summary>A broker process closed its stream.</summary>
    public const string StreamClosed = "stream.closed";

    /// <summary>A request was allowed; its lease is pending. Carries everything the decision was made from.</summary>
    public const string RequestAllowed = "request.allowed";

    /// <summary>A verified caller's request was denied. Carries everything the decision was made from.</summary>
    public const string RequestDenied = "request.denied";

    /// <summary>A request was refused before its caller was verified.</summary>
    public const string RequestRefused = "request.refused";

    /// <summary>Refusals that were counted instead of recorded one by one.</summary>
    public const string RequestsRefusedCounted = "request.refused-counted";

    /// <summary>A secret was issued.</summary>
    public const string LeaseIssued = "lease.issued";

    /// <summary>A secret was made after its lease could no longer take it; it is revoked at once.</summary>
    public const string LeaseLate = "lease.late";

    /// <summary>A lease was renewed.</summary>
    public const string LeaseRenewed = "lease.renewed";

    /// <summary>A new policy grants less time: the lease ends earlier.</summary>
    public const string LeaseShortened = "lease.shortened";

    /// <summary>A lease's revocation was asked for (release by its agent included: reason <c>released</c>).</summary>
    public const string RevocationRequested = "lease.revocation-requested";

    /// <summary>The accessor of a lease without a Vault lease id was revoked; confirmation follows.</summary>
    public const string AccessorRevoked = "lease.accessor-revoked";

    /// <summary>Vault confirmed a revocation.</summary>
    public const string LeaseRevoked = "lease.revoked";

    /// <summary>An attempt to revoke failed.</summary>
    public const string RevocationFailed = "lease.revocation-failed";

    /// <summary>A lease that cannot be revoked is over.</summary>
    public const string LeaseEnded = "lease.ended";

    /// <summary>An agent reported what it did.</summary>
    public const string OutcomeReported = "lease.outcome";

    /// <summary>An admin ordered a revocation (or tried it: reason <c>dry-run</c>).</summary>
    public const string RevocationOrdered = "revocation.ordered";

    /// <summary>Every lease of an order has been claimed.</summary>
    public const string RevocationEnumerated = "revocation.enumerated";

    /// <summary>A task was closed.</summary>
    public const string TaskClosed = "task.closed";

    /// <summary>A policy version was applied.</summary>
    public const string PolicyApplied = "policy.applied";

    /// <summary>A policy edit was refused; the last good version goes on.</summary>
    public const string PolicyRefused = "policy.refused";

    /// <summary>A person used an admin call that changes or reads what is not theirs.</summary>
    public const string AdminAction = "admin.action";

    /// <summary>A stray secret that no lease knows was found in Vault and revoked.</summary>
    public const string StrayRevoked = "vault.stray-revoked";
}
