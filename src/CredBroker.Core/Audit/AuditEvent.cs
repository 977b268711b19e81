using CredBroker.Core.Identity;

namespace CredBroker.Core.Audit;

/// <summary>
/// Something that happened, before the commit writer gives it stream, sequence, time and previous hash. No member ever
/// holds a secret value.
/// </summary>
public sealed record AuditEvent
{
    /// <summary>What happened.</summary>
    public required AuditFact What { get; init; }

    /// <summary>Who did it.</summary>
    public required AuditActor Actor { get; init; }

    /// <summary>The lease concerned.</summary>
    public string? LeaseId { get; init; }

    /// <summary>The decision concerned.</summary>
    public string? DecisionId { get; init; }

    /// <summary>The revocation order concerned.</summary>
    public string? RevocationId { get; init; }

    /// <summary>The business process.</summary>
    public string? Process { get; init; }

    /// <summary>The task's id.</summary>
    public string? TaskId { get; init; }

    /// <summary>The catalogue entry.</summary>
    public string? Credential { get; init; }

    /// <summary>
    /// The refusal's code (<c>CB2001</c>), the revocation's cause, or another word that classifies the event.
    /// </summary>
    public string? Reason { get; init; }

    /// <summary>The W3C trace id of the request that led to it.</summary>
    public string? TraceId { get; init; }
}

/// <summary>Who did something.</summary>
/// <param name="Kind"><c>workload</c>, <c>person</c>, <c>broker</c> (its jobs, its start) or <c>unverified</c>.</param>
/// <param name="Issuer">The issuer of the proof; empty for the broker.</param>
/// <param name="Subject">The subject; for the broker the job's name.</param>
/// <param name="Instance">The workload's instance, if any.</param>
public sealed record AuditActor(string Kind, string Issuer, string Subject, string Instance = "")
{
    /// <summary>The broker itself, acting through one of its jobs or steps.</summary>
    public static AuditActor Broker(string job) => new("broker", "", job);

    /// <summary>A verified workload.</summary>
    public static AuditActor Workload(WorkloadIdentity identity) =>
        new("workload", identity.Issuer, identity.Subject, identity.Instance);

    /// <summary>A person with a role.</summary>
    public static AuditActor Person(string issuer, string subject) => new("person", issuer, subject);

    /// <summary>One line for a lease row and for tables: <c>kind:issuer#subject</c>.</summary>
    public override string ToString() => Kind == "broker" ? $"broker:{Subject}" : $"{Kind}:{Issuer}#{Subject}";
}
