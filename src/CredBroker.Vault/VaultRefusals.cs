using CredBroker.Core.Requests;
using CredBroker.Vault.Http;

namespace CredBroker.Vault;

/// <summary>
/// The one place that maps what Vault answered to why an agent gets nothing. The agent is not told Vault's words: they
/// name paths, hosts and users.
/// </summary>
internal static class VaultRefusals
{
    public static readonly Refusal Unreachable = new(
        RefusalCode.VaultUnreachable,
        "Vault does not answer. Try again in a moment.",
        TimeSpan.FromSeconds(5)
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

    public static readonly Refusal Missing = new(
        RefusalCode.VaultMissing,
        "Vault has no such mount, role or secret. The operator finds the cause with `credbroker vault check`."
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

    /// <summary>For one credential, whose backend does not answer or has as many waiting for it as it may have.</summary>
    public static Refusal Paused(TimeSpan pause) =>
        new(
            RefusalCode.CredentialPaused,
            "What makes this credential does not answer in time, so it is given a pause. Other credentials are issued.",
            pause
        );

    /// <summary>For a call that makes nothing by itself (or whose making has no holder).</summary>
    public static Refusal For(VaultReply reply) =>
        reply switch
        {
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
            _ => Unreachable,
        };

    /// <summary>
    /// A 4xx says that nothing was made. Anything else from a call that mints (a 5xx, a proxy's 408) may have come
    /// after the making.
    /// </summary>
    public static bool SaysNothingWasMade(VaultReply reply) =>
        reply is VaultReply.NotSent or VaultReply.Declined { Status: >= 300 and < 500 and not 408 };
}
