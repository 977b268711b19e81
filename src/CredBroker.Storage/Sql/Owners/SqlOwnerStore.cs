using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Owners;

/// <summary>Who is gone: entered, taken back, and compared with whatever was decided by who owns a process.</summary>
internal static class SqlOwnerStore
{
    /// <summary>
    /// Whether the decision takes somebody for the process's owner who is gone, or the other way round: it was made
    /// before, and is to be made anew. Until somebody was gone for the first time nothing is read.
    /// </summary>
    public static bool IsStale(SqlSession session, DecisionRecord decision) =>
        session.Head.Owners > 0
        && decision.Verdict.Grant?.Process is { Owner: { } owner } process
        && IsRetired(session, owner.Issuer, owner.Subject) != process.IsOwnerGone;

    /// <summary>Whether the person is gone.</summary>
    public static bool IsRetired(SqlSession session, string issuer, string subject) =>
        session.Head.Owners > 0 && ReadRetired(session).Contains(TextDigest.Of(issuer, subject));

    /// <summary>Somebody is gone.</summary>
    public static ChangeResult Retire(SqlSession session, StateChange.OwnerRetired change)
    {
        if (change.PolicyVersion != session.Head.PolicyVersion)
        {
            return GuardFailure.PolicyChanged;
        }

        var owner = change.Owner;
        var retired = ReadRetired(session);
        if (retired.Contains(TextDigest.Of(owner.Issuer, owner.Subject)))
        {
            return GuardFailure.WrongState;
        }

        if (retired.Count >= OwnerRetirement.Max)
        {
            return GuardFailure.TooManyOwners;
        }

        session.Execute(
            """
            INSERT INTO owner_retirement (change, owner_key, issuer, subject, reason, retired_by, retired_at)
            VALUES (@change, @key, @issuer, @subject, @reason, @by, @now)
            """,
            ("@change", NextChange(session)),
            ("@key", TextDigest.Of(owner.Issuer, owner.Subject)),
            ("@issuer", owner.Issuer),
            ("@subject", owner.Subject),
            ("@reason", owner.Reason),
            ("@by", owner.RetiredBy),
            ("@now", session.NowColumn)
        );
        return ChangeResult.Done;
    }

    /// <summary>Somebody is back.</summary>
    public static ChangeResult Reinstate(SqlSession session, StateChange.OwnerReinstated change)
    {
        if (!ReadRetired(session).Contains(TextDigest.Of(change.Issuer, change.Subject)))
        {
            return GuardFailure.NotFound;
        }

        session.Execute(
            """
            UPDATE owner_retirement SET change = @change, reinstated_by = @by, reinstated_at = @now,
              reinstate_reason = @reason
            WHERE owner_key = @key AND reinstated_at IS NULL
            """,
            ("@change", NextChange(session)),
            ("@key", TextDigest.Of(change.Issuer, change.Subject)),
            ("@by", change.ReinstatedBy),
            ("@now", session.NowColumn),
            ("@reason", change.Reason)
        );
        return ChangeResult.Done;
    }

    /// <summary>Read once until somebody goes or comes back, here or at another broker: the head counts it.</summary>
    private static HashSet<string> ReadRetired(SqlSession session)
    {
        var (opening, owners) = (session.Head.Opening, session.Head.Owners);
        if (session.RetiredOwners is { } read && (read.Opening, read.Owners) == (opening, owners))
        {
            return read.Keys;
        }

        var keys = session
            .ReadAll("SELECT owner_key FROM owner_retirement WHERE reinstated_at IS NULL", row => row.Text(0))
            .ToHashSet(StringComparer.Ordinal);
        session.RetiredOwners = (opening, owners, keys);
        return keys;
    }

    private static long NextChange(SqlSession session)
    {
        var change = session.Head.Owners + 1;
        session.Head = session.Head with { Owners = change };
        session.ForgetOwners();
        return change;
    }
}
