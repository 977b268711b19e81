using CredBroker.Client;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Leases;

/// <summary>
/// Leases as the API shows them: to the agent that holds one what concerns it, to people with a role also who, by which
/// rule and under which handles.
/// </summary>
internal static class LeaseResponses
{
    public static LeaseResponse ForAgent(Lease lease) =>
        new()
        {
            LeaseId = lease.Id,
            State = State(lease.State),
            Credential = lease.Decision.Request.Credential,
            Engine = lease.Grant.Entry.Vault.Engine,
            Task = new()
            {
                Id = lease.Decision.Task.Id,
                Process = lease.Decision.Task.Process,
                Purpose = lease.Decision.Task.Purpose,
            },
            Actions = lease.Decision.Request.Actions,
            Resource = NullIfEmpty(lease.Decision.Request.Resource),
            Params = lease.Decision.Request.Params,
            Decision = new(lease.Decision.Id, lease.Decision.PolicyVersion),
            OpenedAt = lease.OpenedAt,
            ActivatedAt = lease.ActivatedAt,
            ExpiresAt = lease.ExpiresAt,
            GraceUntil = lease.GraceUntil,
            Revocation = lease.Cause is { } cause
                ? new()
                {
                    Cause = KebabCase.Of(cause),
                    RequestedAt = lease.RevocationRequestedAt,
                    ConfirmedAt = lease.ConfirmedAt,
                    ConfirmedBy = NullIfEmpty(lease.ConfirmedBy),
                }
                : null,
            StillValid = lease.Cause is not null && StillValid.Of(lease) is { } left ? [Remainder(left)] : null,
        };

    public static LeaseResponse ForPeople(Lease lease)
    {
        var shown = ForAgent(lease);
        var decision = lease.Decision.Verdict;
        return shown with
        {
            Holder = Identity(lease.Decision.Identity, decision.Agent),
            Owner = Owner(decision.Grant?.Process.Owner),
            RuleId = NullIfEmpty(decision.RuleId),
            Vault = new()
            {
                LeaseId = lease.VaultLeaseId,
                Accessor = lease.Accessor,
                PublicName = NullIfEmpty(lease.PublicName),
            },
            Revocation = shown.Revocation is null
                ? null
                : shown.Revocation with
                {
                    RequestedBy = NullIfEmpty(lease.RequestedBy),
                    RevocationId = lease.RevocationId,
                    Attempts = lease.Attempts,
                    LastError = NullIfEmpty(lease.LastError),
                    NextAttemptAt = lease.NextAttemptAt,
                },
        };
    }

    /// <summary>A lease whose record is damaged: what is left of it.</summary>
    public static LeaseResponse ForPeople(UnreadableLease lease) =>
        new()
        {
            LeaseId = lease.Id,
            State = State(lease.State),
            Credential = lease.Credential,
            Engine = "unknown",
            Task = new()
            {
                Id = lease.Task,
                Process = lease.Process,
                Purpose = "",
            },
            Actions = [],
            Decision = new("", 0),
            OpenedAt = lease.OpenedAt ?? DateTimeOffset.UnixEpoch,
            Vault = new()
            {
                LeaseId = lease.VaultLeaseId,
                Accessor = lease.Accessor,
                PublicName = NullIfEmpty(lease.PublicName),
            },
            StillValid = StillValid.Of(lease) is { } left ? [Remainder(left)] : null,
        };

    /// <summary>Those that can be read and those that cannot, newest first.</summary>
    public static IReadOnlyList<LeaseResponse> ForPeople(
        IReadOnlyList<Lease> leases,
        IReadOnlyList<UnreadableLease> unreadable
    ) =>
        unreadable.Count == 0
            ? [.. leases.Select(ForPeople)]
            :
            [
                .. leases
                    .Select(ForPeople)
                    .Concat(unreadable.Select(ForPeople))
                    .OrderByDescending(lease => lease.LeaseId, StringComparer.Ordinal),
            ];

    public static StillValidResponse Remainder(StillValid left) =>
        new()
        {
            LeaseId = left.LeaseId,
            Credential = left.Credential,
            What = left.What,
            Until = left.Until,
        };

    public static OwnerResponse? Owner(ProcessOwner? owner) =>
        owner is null ? null : new(owner.Issuer, owner.Subject, owner.Contact);

    public static string State(LeaseState state) => KebabCase.Of(state);

    public static IdentityResponse Identity(WorkloadIdentity identity, string agent) =>
        new()
        {
            Agent = NullIfEmpty(agent),
            Proof = KebabCase.Of(identity.Proof),
            Issuer = identity.Issuer,
            Subject = identity.Subject,
            Workload = identity.Workload,
            Instance = NullIfEmpty(identity.Instance),
            SpiffeId = NullIfEmpty(identity.SpiffeId),
            TrustDomain = NullIfEmpty(identity.TrustDomain),
            Claims = identity.Claims.Count == 0 ? null : identity.Claims,
        };

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
