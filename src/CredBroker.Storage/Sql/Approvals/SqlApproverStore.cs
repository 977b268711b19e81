using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Approvals;

/// <summary>How fast people decide: their last words, and the alert where they take less time than reading does.</summary>
internal static class SqlApproverStore
{
    /// <summary>How long each of a person's last words took.</summary>
    public const string TookText = """
        SELECT took FROM approver_word WHERE person = @person ORDER BY number DESC LIMIT @last
        """;

    /// <summary>A person, as the rows have them.</summary>
    public static string KeyOf(string issuer, string subject) => TextDigest.Of(issuer, subject);

    /// <summary>A person has said a word on a question, or on so many of which it is the newest. An event tells, within the change, where they hurry.</summary>
    public static void Said(
        SqlSession session,
        string issuer,
        string subject,
        Approval approval,
        int questions,
        AuditEvent by
    )
    {
        if (questions == 0)
        {
            // The word on another one of its group is about it, too.
            return;
        }

        var (person, now) = (KeyOf(issuer, subject), session.CountedColumn);
        var before = session.ReadFirst(
            "SELECT at FROM approver_word WHERE person = @person ORDER BY number DESC LIMIT 1",
            row => row.Number(0),
            ("@person", person)
        );
        var took = TimeSpan.FromMilliseconds(Math.Max(0, now - Math.Max(before, ColumnValue.From(approval.AskedAt))));
        session.Execute(
            "INSERT INTO approver_word (person, at, took) VALUES (@person, @now, @took)",
            ("@person", person),
            ("@now", now),
            ("@took", (long)ApproverPace.Took(took, questions).TotalMilliseconds)
        );
        session.Execute(
            """
            DELETE FROM approver_word WHERE person = @person AND number <= (
              SELECT number FROM approver_word WHERE person = @person ORDER BY number DESC LIMIT 1 OFFSET @last)
            """,
            ("@person", person),
            ("@last", (long)ApproverPace.Last)
        );
        var pace = ApproverPace.Of(
            session.ReadAll(
                TookText,
                row => TimeSpan.FromMilliseconds(row.Number(0)),
                ("@person", person),
                ("@last", (long)ApproverPace.Last)
            )
        );
        if (pace is { IsHurried: true, Median: { } median })
        {
            session.Tell(
                new()
                {
                    What = new ApproverHurried { Decisions = pace.Decisions, Median = median },
                    Actor = by.Actor,
                    TraceId = by.TraceId,
                }
            );
        }
    }

    /// <summary>Words said before are forgotten.</summary>
    public static int Forget(SqlSession session, long before, long limit) =>
        session.Execute(
            """
            DELETE FROM approver_word WHERE number IN (
              SELECT number FROM approver_word WHERE at < @before LIMIT @limit)
            """,
            ("@before", before),
            ("@limit", limit)
        );

    /// <summary>After the clock was set back: nothing was said later than now.</summary>
    public static void DrawBack(SqlSession session) =>
        session.Execute("UPDATE approver_word SET at = @now WHERE at > @now", ("@now", session.CountedColumn));
}
