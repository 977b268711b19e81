using CredBroker.Core.Identity;

namespace CredBroker.Core.Audit;

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
