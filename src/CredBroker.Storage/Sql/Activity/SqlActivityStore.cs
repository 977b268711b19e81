using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Activity;

/// <summary>
/// Counts what becomes of an instance's requests, by credential, in slots of five minutes: a row for each, however many
/// requests there are. The newest stand by themselves until they are added up.
/// </summary>
internal static class SqlActivityStore
{
    private const int AddUpEvery = 256;

    private const string OrAdd = """
        ON CONFLICT (instance, slot, credential) DO UPDATE SET issued = activity.issued + excluded.issued,
          denied = activity.denied + excluded.denied, challenged = activity.challenged + excluded.challenged
        """;

    /// <summary>
    /// By itself behind the one before it, where no page but the last is written. Those of one statement are added up at
    /// once: the server that asks for it has the pages in its memory.
    /// </summary>
    private static readonly SqlRows CountText = new(
        """
        INSERT INTO activity_entry (instance, slot, credential, issued, denied, challenged)
        VALUES (@instance, @slot, @credential, @issued, @denied, @challenged)
        """,
        AddUpText("rows")
    );

    private static readonly string AddUpEntriesText = AddUpText("activity_entry");

    private static readonly long Slot = (long)TimeSpan.FromMinutes(5).TotalMilliseconds;

    /// <summary>The slot that a time lies in, by its beginning.</summary>
    public static long SlotOf(long at) => at - (at % Slot);

    /// <summary>One running copy of a workload, as the rows have it.</summary>
    public static string KeyOf(WorkloadIdentity identity) =>
        TextDigest.Of(identity.Issuer, identity.Subject, identity.Instance);

    /// <summary>A lease was opened.</summary>
    public static void CountIssued(SqlSession session, DecisionRecord decision) => Count(session, decision, 1, 0, 0);

    /// <summary>Nothing was issued: denied, or people were asked.</summary>
    public static ChangeResult CountRefused(SqlSession session, DecisionRecord decision)
    {
        var isChallenge = decision.Verdict.Effect == PolicyEffect.Challenge;
        Count(session, decision, 0, isChallenge ? 0 : 1, isChallenge ? 1 : 0);
        return ChangeResult.Done;
    }

    /// <summary>What lies back too far is forgotten.</summary>
    public static ChangeResult Drop(SqlSession session, StateChange.ActivityDropped change)
    {
        AddUp(session);
        return ChangeResult.Done with
        {
            Number = session.Execute(
                """
                DELETE FROM activity WHERE (instance, slot, credential) IN (
                  SELECT instance, slot, credential FROM activity WHERE slot < @before LIMIT @limit)
                """,
                ("@before", ColumnValue.From(change.Before)),
                ("@limit", change.Limit)
            ),
            IsRecorded = false,
        };
    }

    /// <summary>After the clock was set back: what was counted by the wrong time is nobody's last hour.</summary>
    public static void DrawBack(SqlSession session)
    {
        AddUp(session);
        session.Execute("DELETE FROM activity WHERE slot > @now", ("@now", session.NowColumn));
    }

    private static string AddUpText(string rows) =>
        $"""
            INSERT INTO activity (instance, slot, credential, issued, denied, challenged)
            SELECT instance, slot, credential, sum(issued), sum(denied), sum(challenged) FROM {rows}
            GROUP BY instance, slot, credential ORDER BY instance, slot, credential
            {OrAdd}
            """;

    private static void AddUp(SqlSession session)
    {
        session.ActivityEntries = 0;
        session.Write(AddUpEntriesText);
        session.Write("DELETE FROM activity_entry");
    }

    private static void Count(SqlSession session, DecisionRecord decision, long issued, long denied, long challenged)
    {
        if (++session.ActivityEntries > AddUpEvery)
        {
            AddUp(session);
        }

        session.Write(
            CountText,
            ("@instance", KeyOf(decision.Identity)),
            ("@slot", SlotOf(session.NowColumn)),
            // What was looked for in no catalogue, or is in none, is whatever the caller wrote: all of it is one row.
            ("@credential", IsNamed(decision) ? decision.Request.Credential : ""),
            ("@issued", issued),
            ("@denied", denied),
            ("@challenged", challenged)
        );
    }

    /// <summary>
    /// Whether the name is the catalogue's. Each refusal that comes after it was looked up stands here; one that is added
    /// names nothing until it does. Before an agent is known nothing is looked up, also where its condition failed.
    /// </summary>
    private static bool IsNamed(DecisionRecord decision) =>
        decision.Verdict.Grant is not null
        || decision.Verdict is { Agent.Length: > 0, Refusal.Code: var code }
            && code
                is RefusalCode.ActionNotOffered
                    or RefusalCode.FieldInvalid
                    or RefusalCode.ParamsInvalid
                    or RefusalCode.ToolArgumentsInvalid
                    or RefusalCode.RuleFailed
                    or RefusalCode.DeniedByRule
                    or RefusalCode.NoRuleAllows
                    or RefusalCode.GateDenied
                    or RefusalCode.NobodyToAsk
                    or RefusalCode.ExecutorsDiffer;
}
