namespace CredBroker.Core.State;

/// <summary>
/// Which leases an order reaches: all fields that are set must be equal. At least one is set, or
/// <see cref="Everything"/> is. It is stored with the order, because an exchange compares the lease that it opens with
/// it.
/// </summary>
public sealed record LeaseSelector
{
    /// <summary>One lease.</summary>
    public string? Lease { get; init; }

    /// <summary>An entry of the policy's <c>agents</c>.</summary>
    public string? Agent { get; init; }

    /// <summary>The workload's name.</summary>
    public string? Workload { get; init; }

    /// <summary>One running instance.</summary>
    public string? Instance { get; init; }

    /// <summary>The token's subject.</summary>
    public string? Subject { get; init; }

    /// <summary>A task's id; together with <see cref="Process"/> one task.</summary>
    public string? Task { get; init; }

    /// <summary>A business process.</summary>
    public string? Process { get; init; }

    /// <summary>A catalogue entry.</summary>
    public string? Credential { get; init; }

    /// <summary>The process owner's subject.</summary>
    public string? Owner { get; init; }

    /// <summary>The identity's issuer.</summary>
    public string? Issuer { get; init; }

    /// <summary>The SPIFFE trust domain.</summary>
    public string? TrustDomain { get; init; }

    /// <summary>Every lease there is.</summary>
    public bool Everything { get; init; }

    /// <summary>Whether it selects every lease there can be: no name narrows it.</summary>
    public bool IsOfAll() => Everything && Lease is null && !Names().Any();

    /// <summary>Whether nothing is selected.</summary>
    public bool IsEmpty => this == Nothing;

    private static readonly LeaseSelector Nothing = new();

    /// <summary>The names that are set, by their fields.</summary>
    public IEnumerable<(SelectorField Field, string Value)> Names() =>
        new[]
        {
            (SelectorField.Agent, Agent),
            (SelectorField.Workload, Workload),
            (SelectorField.Instance, Instance),
            (SelectorField.Subject, Subject),
            (SelectorField.Task, Task),
            (SelectorField.Process, Process),
            (SelectorField.Credential, Credential),
            (SelectorField.Owner, Owner),
            (SelectorField.Issuer, Issuer),
            (SelectorField.TrustDomain, TrustDomain),
        }
            .Where(name => name.Item2 is not null)
            .Select(name => (name.Item1, name.Item2!));

    /// <summary>Whether the lease (in any state) is selected.</summary>
    public bool Matches(Lease lease) => Matches(lease.Decision, lease.Id);

    /// <summary>Whether a lease that stands, or would stand, on this decision is selected.</summary>
    public bool Matches(DecisionRecord record, string leaseId)
    {
        if (IsEmpty)
        {
            return false;
        }

        var (identity, task, request, decision) = (record.Identity, record.Task, record.Request, record.Verdict);
        return Is(Lease, leaseId)
            && Is(Agent, decision.Agent)
            && Is(Workload, identity.Workload)
            && Is(Instance, identity.Instance)
            && Is(Subject, identity.Subject)
            && Is(Task, task.Id)
            && Is(Process, task.Process)
            && Is(Credential, request.Credential)
            && Is(Owner, decision.Grant?.Process.Owner?.Subject ?? "")
            && Is(Issuer, identity.Issuer)
            && Is(TrustDomain, identity.TrustDomain);
    }

    private static bool Is(string? wanted, string actual) =>
        wanted is null || string.Equals(wanted, actual, StringComparison.Ordinal);
}
