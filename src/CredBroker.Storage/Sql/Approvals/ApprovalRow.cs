using System.Text.Json;
using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Approvals;

/// <summary>A question to people, as selected by <see cref="Select"/>.</summary>
internal sealed class ApprovalRow
{
    /// <summary>Selects it; what names an index and a condition follow.</summary>
    public const string Select = """
        SELECT id AS Id, change AS Change, state AS State, decision AS Decision, digest AS Digest,
          caller_key AS CallerKey, fence AS Fence, asked_at AS AskedAt, expires_at AS ExpiresAt,
          agreements AS Agreements, approved_at AS ApprovedAt, closed_at AS ClosedAt, closed_by AS ClosedBy,
          reason AS Reason, lease AS Lease, outcome AS Outcome, escalates_at AS EscalatesAt
        FROM approval
        """;

    /// <summary>Selects the question <c>@id</c>.</summary>
    public const string ById = Select + " WHERE id = @id";

    public required string Id { get; init; }

    public long Change { get; init; }

    public required string State { get; init; }

    public required string Decision { get; init; }

    public required string Digest { get; init; }

    public required string CallerKey { get; init; }

    public long Fence { get; init; }

    public long AskedAt { get; init; }

    public long ExpiresAt { get; init; }

    public long? EscalatesAt { get; init; }

    public required string Agreements { get; init; }

    public long? ApprovedAt { get; init; }

    public long? ClosedAt { get; init; }

    public required string ClosedBy { get; init; }

    public required string Reason { get; init; }

    public string? Lease { get; init; }

    public string? Outcome { get; init; }

    /// <summary>Null where the row does not hold one any more: then nobody has agreed to anything.</summary>
    public Approval? ToApproval()
    {
        try
        {
            return
                JsonSerializer.Deserialize(Decision, StateJson.Default.DecisionRecord) is { } decision
                && JsonSerializer.Deserialize(Agreements, StateJson.Default.AgreementArray) is { } agreements
                ? new()
                {
                    Id = Id,
                    Change = Change,
                    State = Enum.Parse<ApprovalState>(State, ignoreCase: true),
                    Decision = decision,
                    Digest = Digest,
                    CallerKey = CallerKey,
                    Fence = Fence,
                    AskedAt = ColumnValue.Time(AskedAt),
                    ExpiresAt = ColumnValue.Time(ExpiresAt),
                    Escalates = ColumnValue.Time(EscalatesAt),
                    Agreements = agreements,
                    ApprovedAt = ColumnValue.Time(ApprovedAt),
                    ClosedAt = ColumnValue.Time(ClosedAt),
                    ClosedBy = ClosedBy,
                    Reason = Reason,
                    LeaseId = Lease,
                    Outcome = Outcome is null
                        ? null
                        : JsonSerializer.Deserialize(Outcome, StateJson.Default.ReportedOutcome),
                }
                : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            return null;
        }
    }
}
