using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Leases;

/// <summary>
/// What an agent may do with its own leases. A lease is visible only to the issuer, subject and instance that
/// it was issued to; to anyone else it does not exist.
/// </summary>
public sealed partial class AgentLeases(
    CallerVerification callers,
    PolicyControl policy,
    ISecretIssuer issuer,
    IssuingReadiness readiness,
    IBrokerStore store,
    LeaseRevoker revoker,
    LeaseOptions options,
    TimeProvider time
)
{
    private const int ReportsPerMinute = 120;
    private const int ReportKilobytesPerMinute = 1024;

    private readonly CallerBudget _reports = new(ReportsPerMinute, time, ReportKilobytesPerMinute * 1024);

    private static readonly Refusal NotFound = new(RefusalCode.LeaseNotFound, "You hold no lease with this id.");

    /// <summary>The lease's state.</summary>
    public async ValueTask<LeaseOutcome> FindAsync(
        IdentityProof proof,
        string leaseId,
        CallContext call,
        CancellationToken cancellationToken
    ) =>
        (await OwnAsync("find", proof, leaseId, call, cancellationToken)).Passes(out var held, out var refusal)
            ? new LeaseOutcome.Found(held.Lease)
            : new LeaseOutcome.Refused(refusal);

    /// <summary>
    /// Gives the secret back. Waits for the confirmation as long as the settings say: the lease is then revoked or
    /// ended, or still revoking.
    /// </summary>
    public async ValueTask<LeaseOutcome> ReleaseAsync(
        IdentityProof proof,
        string leaseId,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        if (!(await OwnAsync("release", proof, leaseId, call, cancellationToken)).Passes(out var held, out var refusal))
        {
            return new LeaseOutcome.Refused(refusal);
        }

        var (lease, identity) = held;
        if (lease.State is not (LeaseState.Pending or LeaseState.Active))
        {
            // Over, or on record as being revoked: then it goes on by itself, and its agent cannot hurry or delay it.
            return new LeaseOutcome.Found(lease);
        }

        // Once it is on record the revocation goes on whether or not the client waits for it.
        Lease claimed;
        Task<Lease> settled;
        try
        {
            (claimed, settled) = await revoker.BeginAsync(
                lease,
                new(RevocationCause.Released, AuditActor.Workload(identity), null, call.TraceId),
                []
            );
        }
        catch (StoreUnavailableException)
        {
            // The agent is told that it is not on record, and the secret is dead all the same.
            await revoker.KillAsync(lease);
            throw;
        }

        var first = await Task.WhenAny(settled, Task.Delay(options.ReleaseWait, time, cancellationToken));
        return new LeaseOutcome.Found(first == settled ? await settled : claimed);
    }

    /// <summary>
    /// Records what the agent says it did with the secret; where people approved it, for the one that asked, too. A report may be long, so one workload has so many and no
    /// more.
    /// </summary>
    public async ValueTask<LeaseOutcome> ReportAsync(
        IdentityProof proof,
        string leaseId,
        TaskReport report,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        if (!(await OwnAsync("report", proof, leaseId, call, cancellationToken)).Passes(out var held, out var refusal))
        {
            return new LeaseOutcome.Refused(refusal);
        }

        var (lease, identity) = held;
        if (_reports.Take(identity, BytesOf(report)) is { } wait)
        {
            var tooMany = new Refusal(
                RefusalCode.Overloaded,
                $"This workload has sent {ReportsPerMinute} reports, or {ReportKilobytesPerMinute} KB of them, "
                    + "within a minute, or too much of them within a day. Send this one later.",
                wait
            );
            await RecordDenialAsync(
                LeaseRevoker.Event(new RequestDenied(), lease, AuditActor.Workload(identity)),
                identity,
                "report",
                tooMany,
                call
            );
            return new LeaseOutcome.Refused(tooMany);
        }

        var isAsDeclared = IsSame(lease.Decision.Request.ToolCall, report.ToolCall);
        var reported = LeaseRevoker.Event(
            new OutcomeReported
            {
                Summary = report.Summary,
                ToolCall = report.ToolCall,
                IsAsDeclared = isAsDeclared,
            },
            lease,
            AuditActor.Workload(identity)
        ) with
        {
            Reason = report.Status,
            TraceId = call.TraceId,
        };
        await store.CommitAsync(
            lease.Decision.Approval is { } approval
                ? new StateChange.OutcomeReported
                {
                    ApprovalId = approval.Id,
                    LeaseId = lease.Id,
                    Outcome = new()
                    {
                        Status = report.Status,
                        Summary = report.Summary,
                        IsAsDeclared = report.ToolCall is null ? null : isAsDeclared,
                    },
                    Event = reported,
                }
                : new StateChange.EventRecorded { Event = reported },
            cancellationToken
        );
        return new LeaseOutcome.Found(lease);
    }

    /// <summary>The lease, if the proof holds and the lease is the caller's own.</summary>
    private async ValueTask<Checked<HeldLease>> OwnAsync(
        string action,
        IdentityProof proof,
        string leaseId,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var verification = await callers.VerifyAsync(proof, call, cancellationToken);
        if (verification is not VerificationOutcome.Verified { Identity: var identity })
        {
            return ((VerificationOutcome.Refused)verification).Refusal;
        }

        if (
            Ids.IsValid(leaseId)
            && await store.Leases.FindAsync(leaseId, CancellationToken.None) is { } lease
            && lease.Decision.Identity.IsSameCaller(identity)
        )
        {
            return new HeldLease(lease, identity);
        }

        // What was asked for is on record only in the form of an id: anything else could be anything.
        var asked = Ids.IsValid(leaseId) ? leaseId : null;
        await RecordDenialAsync(
            new()
            {
                What = new RequestDenied(),
                Actor = AuditActor.Workload(identity),
                LeaseId = asked,
            },
            identity,
            action,
            NotFound,
            call
        );
        return NotFound;
    }

    /// <summary>A verified caller was denied something about its own lease.</summary>
    private async ValueTask<LeaseOutcome> DenyAsync(
        Lease lease,
        WorkloadIdentity identity,
        Refusal refusal,
        CallContext call
    )
    {
        await RecordDenialAsync(
            LeaseRevoker.Event(new RequestDenied(), lease, AuditActor.Workload(identity)),
            identity,
            "renew",
            refusal,
            call
        );
        return new LeaseOutcome.Refused(refusal);
    }

    private async ValueTask RecordDenialAsync(
        AuditEvent denied,
        WorkloadIdentity identity,
        string action,
        Refusal refusal,
        CallContext call
    )
    {
        if (callers.RecordsDenialOf(identity))
        {
            await store.CommitAsync(
                new StateChange.EventRecorded
                {
                    Event = denied with
                    {
                        Reason = refusal.CodeText,
                        TraceId = call.TraceId,
                        Judgement = DecisionFacts.Denial(action, refusal),
                    },
                },
                CancellationToken.None
            );
        }
    }

    private static int BytesOf(TaskReport report) =>
        Encoding.UTF8.GetByteCount(report.Summary)
        + (report.ToolCall is { } call ? JsonMarshal.GetRawUtf8Value(call.Arguments).Length : 0);

    private static bool IsSame(ToolCall? declared, ToolCall? made) =>
        declared is not null
        && made is not null
        && declared.Name == made.Name
        && JsonElement.DeepEquals(declared.Arguments, made.Arguments);

    /// <summary>A lease, and its holder as just verified.</summary>
    private sealed record HeldLease(Lease Lease, WorkloadIdentity Identity);
}
