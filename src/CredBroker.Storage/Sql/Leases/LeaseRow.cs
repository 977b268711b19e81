using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Leases;

/// <summary>A lease with its decision, as selected by <see cref="Select"/>.</summary>
internal sealed class LeaseRow
{
    /// <summary>
    /// What the decision of <c>l</c> is read from, a row at a time: PostgreSQL would join the whole history where it takes it
    /// for short.
    /// </summary>
    public const string Decision = """
        (SELECT t.bytes FROM audit_record t WHERE t.stream = l.told_stream AND t.sequence = l.told_sequence) AS Told,
          CASE WHEN l.told_stream IS NULL THEN (SELECT d.record FROM decision d WHERE d.number = l.decision) END AS Kept
        """;

    private const string Columns = $"""
        l.state AS State, {Decision}, l.accessor AS Accessor,
          l.credential_accessor AS CredentialAccessor, l.vault_lease_id AS VaultLeaseId, l.public_name AS PublicName,
          l.opened_at AS OpenedAt, l.issuance_deadline AS IssuanceDeadline, l.activated_at AS ActivatedAt,
          l.expires_at AS ExpiresAt, l.grace_until AS GraceUntil, l.cause AS Cause, l.requested_by AS RequestedBy,
          l.revocation_id AS RevocationId, l.revocation_requested_at AS RevocationRequestedAt,
          l.confirmed_at AS ConfirmedAt, l.accessor_revoked_at AS AccessorRevokedAt, l.attempts AS Attempts,
          l.next_attempt_at AS NextAttemptAt, l.last_error AS LastError, l.claimed_by AS ClaimedBy,
          l.claimed_until AS ClaimedUntil, l.confirmed_by AS ConfirmedBy, l.urgent AS Urgent, l.agent AS Agent, l.task AS Task,
          l.process AS Process, l.credential AS Credential, l.backend AS Backend
        """;

    /// <summary>Selects it; a condition on <c>l</c> follows.</summary>
    public const string Select = "SELECT l.id AS Id, " + Columns + " FROM lease l ";

    /// <summary>
    /// Selects what the order <c>@revocation</c> has reached, what has left the table since included; a condition on
    /// <c>r</c> follows.
    /// </summary>
    public const string OfOrder =
        "SELECT r.lease AS Id, "
        + Columns
        + " FROM revocation_reach r LEFT JOIN lease l ON l.id = r.lease"
        + " WHERE r.revocation = @revocation";

    /// <summary>Selects the lease <c>@id</c>.</summary>
    public const string ById = Select + "WHERE l.id = @id";

    public required string Id { get; init; }

    /// <summary>Null where the row is gone.</summary>
    public string? State { get; init; }

    /// <summary>The audit record that has its decision.</summary>
    public byte[]? Told { get; init; }

    /// <summary>Its decision, where it has a row of its own.</summary>
    public string? Kept { get; init; }

    public string? Accessor { get; init; }

    public string? CredentialAccessor { get; init; }

    public string? VaultLeaseId { get; init; }

    public required string PublicName { get; init; }

    public long OpenedAt { get; init; }

    public long IssuanceDeadline { get; init; }

    public long? ActivatedAt { get; init; }

    public long? ExpiresAt { get; init; }

    public long? GraceUntil { get; init; }

    public string? Cause { get; init; }

    public required string RequestedBy { get; init; }

    public string? RevocationId { get; init; }

    public long? RevocationRequestedAt { get; init; }

    public long? ConfirmedAt { get; init; }

    public long? AccessorRevokedAt { get; init; }

    public long Attempts { get; init; }

    public long? NextAttemptAt { get; init; }

    public required string LastError { get; init; }

    public string? ClaimedBy { get; init; }

    public long? ClaimedUntil { get; init; }

    public required string ConfirmedBy { get; init; }

    public long Urgent { get; init; }

    public required string Agent { get; init; }

    public required string Task { get; init; }

    public required string Process { get; init; }

    public required string Credential { get; init; }

    public required string Backend { get; init; }

    /// <exception cref="InvalidDataException">The row does not hold a lease any more.</exception>
    public Lease ToLease()
    {
        try
        {
            if (State is null)
            {
                throw new InvalidDataException("its row is gone.");
            }

            if (IsContradictory)
            {
                throw new InvalidDataException("its state and the time of its confirmation contradict each other.");
            }

            var decision = ToldDecision.Read(Id, Told, Kept);
            if (decision?.Verdict.Grant is null)
            {
                throw new InvalidDataException("its decision is gone, or granted nothing.");
            }

            return IsOf(decision)
                ? ToLease(decision)
                : throw new InvalidDataException("its row and its decision contradict each other.");
        }
        catch (Exception e)
        {
            // Whatever a damaged record makes those throw who read it: it is this lease that cannot be read, alone.
            throw new InvalidDataException($"Lease {Id} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Whether selectors, which go by the row, name what was decided.</summary>
    private bool IsOf(DecisionRecord decision) =>
        (Agent, Task, Process, Credential)
        == (decision.Verdict.Agent, decision.Task.Id, decision.Task.Process, decision.Request.Credential);

    private bool IsContradictory =>
        ColumnValue.TryState(State) is { } state && LeaseStates.NotOver.Contains(state) == ConfirmedAt is not null;

    /// <summary>What is left of it, where it cannot be read.</summary>
    public UnreadableLease ToUnreadable(string fault) =>
        State is null
            ? Gone(fault)
            : new()
            {
                Id = Id,
                State = (IsContradictory ? null : ColumnValue.TryState(State)) ?? LeaseState.Failed,
                Fault = fault,
                Agent = Agent,
                Task = Task,
                Process = Process,
                Credential = Credential,
                Backend = Backend,
                OpenedAt = ColumnValue.TryTime(OpenedAt),
                Accessor = Accessor,
                CredentialAccessor = CredentialAccessor,
                VaultLeaseId = VaultLeaseId,
                PublicName = PublicName,
                ConfirmedBy = ConfirmedBy,
                Attempts = (int)Math.Clamp(Attempts, 0, int.MaxValue),
                LastError = LastError,
            };

    private UnreadableLease Gone(string fault) =>
        new()
        {
            Id = Id,
            State = LeaseState.Failed,
            Fault = fault,
            Agent = "",
            Task = "",
            Process = "",
            Credential = "",
            Backend = "",
            LastError =
                "The store has lost this lease: whether its secret works is not known. What it was is told by: "
                + $"credbroker audit show --lease {Id}",
        };

    private Lease ToLease(DecisionRecord decision) =>
        new()
        {
            Id = Id,
            State = ColumnValue.State(State!),
            Decision = decision,
            Accessor = Accessor,
            CredentialAccessor = CredentialAccessor,
            VaultLeaseId = VaultLeaseId,
            PublicName = PublicName,
            OpenedAt = ColumnValue.Time(OpenedAt),
            IssuanceDeadline = ColumnValue.Time(IssuanceDeadline),
            ActivatedAt = ColumnValue.Time(ActivatedAt),
            ExpiresAt = ColumnValue.Time(ExpiresAt),
            GraceUntil = ColumnValue.Time(GraceUntil),
            Cause = ColumnValue.Cause(Cause),
            RequestedBy = RequestedBy,
            RevocationId = RevocationId,
            RevocationRequestedAt = ColumnValue.Time(RevocationRequestedAt),
            ConfirmedAt = ColumnValue.Time(ConfirmedAt),
            AccessorRevokedAt = ColumnValue.Time(AccessorRevokedAt),
            IsUrgent = Urgent > 0,
            Attempts = checked((int)Attempts),
            NextAttemptAt = ColumnValue.Time(NextAttemptAt),
            LastError = LastError,
            ClaimedBy = ClaimedBy,
            ClaimedUntil = ColumnValue.Time(ClaimedUntil),
            ConfirmedBy = ConfirmedBy,
        };
}
