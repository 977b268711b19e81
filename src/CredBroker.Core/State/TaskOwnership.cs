using CredBroker.Core.Identity;

namespace CredBroker.Core.State;

/// <summary>
/// Who owns a task: the (issuer, workload) that opened it. Without an instance the token's subject stands in for the
/// workload.
/// </summary>
public static class TaskOwnership
{
    /// <summary>The owner that this identity would be.</summary>
    public static TaskOwner Of(WorkloadIdentity identity) =>
        new(identity.Issuer, identity.Instance.Length > 0 ? identity.Workload : identity.Subject);
}
