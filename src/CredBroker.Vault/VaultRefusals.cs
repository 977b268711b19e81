using System.Text.RegularExpressions;
using CredBroker.Core.Requests;
using CredBroker.Vault.Http;

namespace CredBroker.Vault;

/// <summary>
/// The one place that maps what Vault answered to why an agent gets nothing. The agent is not told Vault's words: they
/// name paths, hosts and users.
/// </summary>
internal static partial class VaultRefusals
{
    public static readonly Refusal Unreachable = new(
        RefusalCode.VaultUnreachable,
        "Vault does not answer. Try again in a moment.",
        TimeSpan.FromSeconds(5)
    );

    public static readonly Refusal NoLogin = new(
        RefusalCode.NoVaultLogin,
        "The broker has nothing to log in to Vault with. Its operator finds which file in the broker's log, and by starting "
            + "it with --check.",
        TimeSpan.FromSeconds(30)
    );

    public static readonly Refusal Sealed = new(
        RefusalCode.VaultSealed,
        "Vault is sealed: nothing can be issued until its operators unseal it.",
        TimeSpan.FromSeconds(30)
    );

    public static readonly Refusal Standby = new(
        RefusalCode.VaultStandby,
        "The Vault node that answered is a standby. Try again in a moment.",
        TimeSpan.FromSeconds(5)
    );

    public static readonly Refusal Forbids = new(
        RefusalCode.VaultForbids,
        "Vault does not permit the broker to issue this. Its operator finds the cause with `credbroker vault check`."
    );

    public static readonly Refusal WantsWrapping = new(
        RefusalCode.VaultWantsWrapping,
        "A policy of Vault's gives this secret only wrapped (min_wrapping_ttl), in an answer that hides what would revoke it. "
            + "The operator finds the policy with `credbroker vault check`."
    );

    public static readonly Refusal Missing = new(
        RefusalCode.VaultMissing,
        "Vault has no such mount, role or secret. The operator finds the cause with `credbroker vault check`."
    );

    public static readonly Refusal WantsApproval = new(
        RefusalCode.VaultWantsApproval,
        "Vault keeps this secret back until somebody approves in Vault (a control group), which the broker cannot ask for. "
            + "The operator finds the policy that says so with `credbroker vault check`."
    );

    public static readonly Refusal MintFailed = new(
        RefusalCode.MintFailed,
        "The backend refused to make the secret. The operator finds the cause in the broker's log."
    );

    public static readonly Refusal OutcomeUnknown = new(
        RefusalCode.MintOutcomeUnknown,
        "It is not known whether a secret was made; what there may be is being revoked. Try again.",
        TimeSpan.FromSeconds(10)
    );

    public static readonly Refusal OwnTokenEnds = new(
        RefusalCode.IssuingPaused,
        "The broker's own Vault token would end before the secret does, so it could not revoke it. Try again.",
        TimeSpan.FromSeconds(30)
    );

    public static readonly Refusal NotProven = new(
        RefusalCode.IssuingPaused,
        "The broker has not recently proven that it can revoke, so it issues nothing. Try again.",
        TimeSpan.FromSeconds(30)
    );

    public static readonly Refusal NotRenewable = new(
        RefusalCode.NotRenewable,
        "This secret cannot be renewed. Ask for a new credential when it ends."
    );

    public static readonly Refusal LifeUsedUp = new(
        RefusalCode.NotRenewable,
        "The secret's whole life is used up. Ask for a new credential."
    );

    /// <summary>For a credential that does not answer, or whose backend has as many waiting for it as it may have.</summary>
    public static Refusal Paused(TimeSpan pause) =>
        new(
            RefusalCode.CredentialPaused,
            "What makes this credential does not answer in time, so it is given a pause. What others make is issued.",
            pause
        );

    /// <summary>For a call that makes nothing by itself (or whose making has no holder).</summary>
    public static Refusal For(VaultReply reply) =>
        reply switch
        {
            VaultReply.NoLogin => NoLogin,
            VaultReply.Declined { Status: >= 300 and < 400 } => Standby,
            VaultReply.Declined { Status: 503 } declined
                when declined.Words.Contains("sealed", StringComparison.OrdinalIgnoreCase) => Sealed,
            VaultReply.Declined declined
                when declined.Words.Contains("standby", StringComparison.OrdinalIgnoreCase)
                    || declined.Words.Contains("local node not active", StringComparison.OrdinalIgnoreCase) => Standby,
            // Vault said yes, and made something that the broker does not take.
            VaultReply.Declined { Status: 401 or 403 or < 300 } => Forbids,
            VaultReply.Declined { Status: 404 or 405 } => Missing,
            VaultReply.Declined { Status: 400 } declined
                when declined.Words.Contains("unknown role", StringComparison.OrdinalIgnoreCase) => Missing,
            VaultReply.Declined { Status: 429 } busy => new(
                RefusalCode.VaultBusy,
                "Vault's own limit of requests is reached. Try again when it has passed.",
                busy.RetryAfter ?? TimeSpan.FromSeconds(1)
            ),
            VaultReply.Declined { Status: >= 400 and < 500 } => MintFailed,
            _ when IsPlainNo(reply) => MintFailed,
            _ => Unreachable,
        };

    /// <summary>
    /// A 4xx says that nothing was made, and so does a database's refusal of a statement, after which its transaction is
    /// rolled back. Anything else from a call that mints (a 5xx, a proxy's 408) may have come after the making.
    /// </summary>
    public static bool SaysNothingWasMade(VaultReply reply) =>
        IsPlainNo(reply)
        || reply
            is VaultReply.NotSent
                or VaultReply.NoLogin
                or VaultReply.Declined { Status: >= 400 and < 500 and not 408 };

    /// <summary>
    /// PostgreSQL's own error in the words of Vault's database engine, of a class that ends a transaction without doubt
    /// (not of a lost connection, a shutdown or a commit whose end is not known), and not of Vault's attempt to take
    /// back what it could not register.
    /// </summary>
    private static bool IsPlainNo(VaultReply reply) =>
        reply is VaultReply.Declined { Status: 500 } declined
        && RefusedStatement().IsMatch(declined.Words)
        && !declined.Words.Contains("revok", StringComparison.OrdinalIgnoreCase)
        && !declined.Words.Contains("register", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Privileges and names, values, limits, what a statement needs, and what a statement itself raised. Not memory: it may
    /// be lacking for what follows the user's commit.
    /// </summary>
    [GeneratedRegex(
        @"failed to execute query: .*\(SQLSTATE (53300|(22|23|28|2B|3F|0A|0L|0P|42|54|55|P0)[0-9A-Z]{3})\)",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex RefusedStatement();
}
