using CredBroker.Core.Identity;

namespace CredBroker.Core.State;

/// <summary>Who owns a task: the (issuer, workload) that opened it.</summary>
public sealed record TaskOwner(string Issuer, string Workload)
{
    /// <summary>
    /// The owner that this identity would be. Where the settings give it no instance, the token's subject stands in for
    /// the workload.
    /// </summary>
    public static TaskOwner Of(WorkloadIdentity identity) =>
        new(identity.Issuer, identity.Instance.Length > 0 ? identity.Workload : identity.Subject);
}
