using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Access;

/// <summary>A denial that people could be asked about, as selected by <see cref="Select"/>.</summary>
internal sealed class EvaluationRow
{
    /// <summary>Selects it; a condition follows.</summary>
    public const string Select = """
        SELECT id AS Id, caller_key AS CallerKey, binding AS Binding, policy AS Policy, at AS At,
          expires_at AS ExpiresAt, approval AS Approval, body_digest AS BodyDigest
        FROM access_evaluation
        """;

    public required string Id { get; init; }

    public required string CallerKey { get; init; }

    public required string Binding { get; init; }

    public long Policy { get; init; }

    public long At { get; init; }

    public long ExpiresAt { get; init; }

    public string? Approval { get; init; }

    public string? BodyDigest { get; init; }

    public AccessEvaluation ToEvaluation() =>
        new()
        {
            Id = Id,
            CallerKey = CallerKey,
            Binding = Binding,
            PolicyVersion = Policy,
            At = ColumnValue.Time(At),
            ExpiresAt = ColumnValue.Time(ExpiresAt),
            ApprovalId = Approval,
            BodyDigest = BodyDigest,
        };
}
