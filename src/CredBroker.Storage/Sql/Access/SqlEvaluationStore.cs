using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Access;

/// <summary>
/// Denials that people could be asked about: remembered, used up by a submission, forgotten. Times are by the count of
/// what has passed, as those of questions to people are.
/// </summary>
internal static class SqlEvaluationStore
{
    /// <summary>Remembers one. Each takes a few away whose time is over, so that no more are kept than there may be.</summary>
    public static ChangeResult Note(SqlSession session, StateChange.EvaluationNoted change)
    {
        var evaluation = change.Evaluation;
        session.Execute(
            """
            DELETE FROM access_evaluation WHERE number IN (
              SELECT number FROM access_evaluation WHERE kept_until <= @counted ORDER BY kept_until LIMIT 16)
            """,
            ("@counted", session.CountedColumn)
        );
        session.Execute(
            """
            DELETE FROM access_evaluation WHERE number IN (
              SELECT number FROM access_evaluation WHERE caller_key = @caller AND approval IS NULL
              ORDER BY number DESC LIMIT 1 OFFSET @kept)
            """,
            ("@caller", evaluation.CallerKey),
            ("@kept", AccessEvaluation.MaxPerCaller - 1)
        );
        var waiting = session.ReadFirst(
            """
            SELECT
              (SELECT count(*) FROM access_evaluation
               WHERE approval IS NULL AND workload_key = @workload AND expires_at > @counted),
              (SELECT count(*) FROM access_evaluation WHERE approval IS NULL AND expires_at > @counted)
            """,
            row => (OfWorkload: row.Number(0), OfAll: row.Number(1)),
            ("@workload", change.WorkloadKey),
            ("@counted", session.CountedColumn)
        );
        if (waiting.OfWorkload >= AccessEvaluation.MaxPerWorkload || waiting.OfAll >= AccessEvaluation.Max)
        {
            return GuardFailure.TooManyApprovals;
        }

        session.Execute(
            """
            INSERT INTO access_evaluation (id, caller_key, workload_key, binding, policy, at, expires_at, kept_until)
            VALUES (@id, @caller, @workload, @binding, @policy, @at, @expires, @expires)
            """,
            ("@id", evaluation.Id),
            ("@caller", evaluation.CallerKey),
            ("@workload", change.WorkloadKey),
            ("@binding", evaluation.Binding),
            ("@policy", evaluation.PolicyVersion),
            ("@at", ColumnValue.From(evaluation.At)),
            ("@expires", ColumnValue.From(evaluation.ExpiresAt))
        );
        return ChangeResult.Done with { IsRecorded = false };
    }

    /// <summary>Uses one up.</summary>
    public static ChangeResult Use(SqlSession session, StateChange.EvaluationUsed change)
    {
        if (
            change.KeyDigest is { } key
            && session.ReadFirst(
                "SELECT id FROM access_evaluation WHERE caller_key = @caller AND key_digest = @key",
                row => row.Text(0),
                ("@caller", change.CallerKey),
                ("@key", key)
            )
                is not null
        )
        {
            return GuardFailure.IdempotencyTaken;
        }

        if (change.Callback is { } callback && SqlCallbackStore.Add(session, change.ApprovalId, callback) is { } full)
        {
            return full;
        }

        return
            session.Execute(
                """
                UPDATE access_evaluation SET approval = @approval, key_digest = @key, body_digest = @body, kept_until = @kept
                WHERE id = @id AND caller_key = @caller AND approval IS NULL AND expires_at > @counted
                """,
                ("@id", change.EvaluationId),
                ("@caller", change.CallerKey),
                ("@approval", change.ApprovalId),
                ("@key", change.KeyDigest),
                ("@body", change.BodyDigest),
                ("@kept", ColumnValue.From(change.KeptUntil)),
                ("@counted", session.CountedColumn)
            ) == 1
            ? ChangeResult.Done with
            {
                IsRecorded = false,
            }
            : GuardFailure.EvaluationNotUsable;
    }

    /// <summary>After the clock was set back: what was remembered by the wrong time has its time from now on.</summary>
    public static void DrawBack(SqlSession session) =>
        session.Execute(
            """
            UPDATE access_evaluation
            SET expires_at = @now + (expires_at - at), kept_until = @now + (kept_until - at), at = @now
            WHERE at > @now
            """,
            ("@now", session.NowColumn)
        );
}
