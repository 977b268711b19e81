using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Benchmarks;

/// <summary>Leases that are opened and activated in a store, as an exchange does it, and without one.</summary>
internal sealed class LeasePairs
{
    private readonly IBrokerStore _store;
    private readonly WorkloadIdentity _identity;
    private readonly Decision _decision;
    private readonly CredentialRequest _request;
    private readonly TimeSpan _life;
    private int _made;

    /// <param name="store">Where.</param>
    /// <param name="credential">Of which credential of <see cref="BenchPolicy"/>.</param>
    /// <param name="minutes">How long they live.</param>
    public LeasePairs(IBrokerStore store, string credential = "reports", int minutes = 10)
    {
        (_store, _life) = (store, TimeSpan.FromMinutes(minutes));
        _request = new() { Credential = credential, Actions = ["read"] };
        _identity = new()
        {
            Proof = ProofMethod.Oidc,
            Issuer = Agents.Issuer,
            Subject = "worker",
            Workload = "worker",
            Instance = "worker-1",
            ProofExpiresAt = TimeProvider.System.GetUtcNow().AddHours(1),
            ProofHash = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
        };
        _decision = PolicyCompiler.Compile(BenchPolicy.Document).Set!.Evaluate(_identity, Task(0), _request);
    }

    /// <summary>One lease, for this instance of the workload.</summary>
    public async Task CommitAsync(string instance = "worker-1")
    {
        var (id, position) = (Ids.New(TimeProvider.System), _store.Position);
        var record = new DecisionRecord
        {
            Id = Ids.New(TimeProvider.System),
            PolicyVersion = position.PolicyVersion,
            Identity = _identity with { Instance = instance },
            Task = Task(Interlocked.Increment(ref _made) % 20_000),
            Request = _request,
            Verdict = _decision,
        };
        var auditEvent = new AuditEvent
        {
            What = new RequestAllowed(),
            Actor = AuditActor.Workload(record.Identity),
            LeaseId = id,
            DecisionId = record.Id,
            Process = record.Task.Process,
            TaskId = record.Task.Id,
            Credential = _request.Credential,
            TraceId = "4bf92f3577b34da6a3ce929d0e0e4736",
        };
        var pending = new Lease
        {
            Id = id,
            State = LeaseState.Pending,
            Decision = record,
            Accessor = "a0123456789abcdef",
            OpenedAt = position.UtcNow,
            IssuanceDeadline = position.UtcNow.AddSeconds(30),
        };
        Expect(
            await _store.CommitAsync(
                new StateChange.LeaseOpened
                {
                    Lease = pending,
                    Reservations = new()
                    {
                        Fence = position.Fence,
                        Opening = position.Opening,
                        TaskOwner = TaskOwner.Of(record.Identity),
                    },
                    Event = auditEvent,
                },
                CancellationToken.None
            )
        );
        var handles = new SecretHandles(
            // As Vault makes them: in no order.
            $"database/creds/cb-bench-{_request.Credential}/{Guid.NewGuid():N}",
            null,
            "cb-" + id
        );
        var expires = position.UtcNow + _life;
        Expect(
            await _store.CommitAsync(
                new StateChange.LeaseActivated
                {
                    LeaseId = id,
                    Handles = handles,
                    ExpiresAt = expires,
                    GraceUntil = expires,
                    Event = auditEvent with
                    {
                        What = new LeaseIssued
                        {
                            VaultLease = handles.VaultLeaseId,
                            PublicName = handles.PublicName,
                            ExpiresAt = expires,
                            GraceUntil = expires,
                        },
                    },
                },
                CancellationToken.None
            )
        );
    }

    private static void Expect(CommitOutcome outcome)
    {
        if (outcome is not CommitOutcome.Committed)
        {
            throw new InvalidOperationException($"The store answered {outcome}.");
        }
    }

    private static AgentTask Task(int number) =>
        new($"task-{number}", "monthly-reports", "Write the report of the month");
}
