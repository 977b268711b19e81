using System.Globalization;
using CredBroker.Client;
using CredBroker.Core.Owners;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Identity.Keys;
using CredBroker.Server.Notifications;

namespace CredBroker.Server.Endpoints.Health;

/// <summary>
/// The parts that a broker needs, and what keeps each from working. A part is ill exactly if it would have every
/// exchange, or all of one issuer's agents', refused, with the code that the exchange then gives: nothing here is judged
/// by rules of its own.
/// </summary>
internal sealed class BrokerHealth(
    IBrokerStore store,
    KeySources keys,
    IssuingReadiness readiness,
    AnchorCheck anchor,
    PolicyControl policy,
    DirectoryCheck directories,
    NotificationOptions notifications,
    NotificationRun sending
)
{
    public const string Well = "ok";
    public const string Ill = "unavailable";

    private static readonly Refusal NoAnswer = new(RefusalCode.StoreUnavailable, "The store does not answer.");
    private static readonly string NoSuchLease = new('0', 32);

    /// <summary>The store, on which everything rests.</summary>
    public async ValueTask<HealthPartResponse> StoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.Leases.FindAsync(NoSuchLease, cancellationToken);
            return Part("store", null);
        }
        catch (StoreUnavailableException)
        {
            return Part("store", NoAnswer);
        }
    }

    /// <summary>The brokers that share the store; null where it does not say.</summary>
    public async ValueTask<IReadOnlyList<StoreBroker>?> BrokersAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await store.ListBrokersAsync(cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    /// <summary>Everything without which no exchange issues a secret, whoever asks.</summary>
    public async ValueTask<IReadOnlyList<HealthPartResponse>> IssuingAsync(CancellationToken cancellationToken) =>
        [
            readiness.Store is { } fault ? Part("store", fault) : await StoreAsync(cancellationToken),
            Part(
                "policy",
                readiness.Policy,
                policy.RefusedEdit is { } refused
                    ? $"Since {Rfc3339(refused.Since)} {refused.Outline}; "
                        + (
                            policy.Current is { } active
                                ? $"version {active.Version} stays in force."
                                : "no version is in force."
                        )
                        + " All of it: credbroker policy show."
                    : null
            ),
            Part("keys", await KeysAsync(cancellationToken)),
            Part("vault", readiness.Vault),
            Part("anchor", readiness.Anchor, anchor.Finding?.NotKept),
            Part("clock", readiness.Clock),
            Part("holds", await HoldsAsync(cancellationToken)),
            .. Directories(),
            .. await NotificationsAsync(cancellationToken),
        ];

    /// <summary>
    /// Whether owners are still there, as far as directories say it: nothing is refused for what they do not say. Which
    /// issuer's it is, is in the log. Nothing where none is asked.
    /// </summary>
    private IReadOnlyList<HealthPartResponse> Directories()
    {
        var standings = directories.Standings;
        var notes = standings
            .Where(standing => standing.Doubted > 0)
            .Select(standing =>
                $"{standing.Doubted} of {standing.Answered} owners are gone at once by a directory's word, and they are "
                + "not retired: see to its settings and its data, and say who has left by credbroker owners retire."
            )
            .Concat(
                standings
                    .Where(standing => standing.NotRetired > 0)
                    .Select(standing =>
                        $"{standing.NotRetired} owners are gone by a directory's word and could not be retired yet: it is "
                        + "tried again, the log says why, and credbroker owners retire does it, too."
                    )
            )
            .Concat(
                standings
                    .Where(standing => standing.Unknown > 0)
                    .Select(standing =>
                        $"Whether {standing.Unknown} owners are still there a directory has not said since "
                        + $"{Rfc3339(standing.KnownAt)}; the log says why."
                    )
            )
            .ToList();
        return standings.Count == 0 ? [] : [Part("directory", null, notes.Count == 0 ? null : string.Join(' ', notes))];
    }

    /// <summary>
    /// Whether somebody outside was not told of an approval: nothing is refused for it. Nothing where nobody is to be told.
    /// </summary>
    private async ValueTask<IReadOnlyList<HealthPartResponse>> NotificationsAsync(CancellationToken cancellationToken)
    {
        if (notifications.Endpoints.Count == 0 && notifications.Callbacks.Count == 0)
        {
            return [];
        }

        var notes = new List<string>();
        if (sending.Gone is > 0 and var gone)
        {
            notes.Add(
                $"{gone} addresses have answered that they are gone (410), and are told nothing until this broker is "
                    + "started anew; the log names them."
            );
        }

        try
        {
            if (await store.Notifications.CountFailedAsync(cancellationToken) is > 0 and var failed)
            {
                notes.Add($"{failed} notifications of approvals were given up in the last 7 days; the log says why.");
            }
        }
        catch (StoreUnavailableException)
        {
            notes.Add("Whether any was given up cannot be read.");
        }

        return [Part("notifications", null, notes.Count == 0 ? null : string.Join(' ', notes))];
    }

    /// <summary>A hold that reaches whoever asks.</summary>
    private async ValueTask<Refusal?> HoldsAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await readiness.HoldAsync(null, "", cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            return NoAnswer;
        }
    }

    /// <summary>
    /// The keys of every issuer and trust domain of workloads: without one's, every exchange of its agents is refused.
    /// Which one's is in the log; it is nobody's business who asks for health.
    /// </summary>
    private async ValueTask<Refusal?> KeysAsync(CancellationToken cancellationToken) =>
        await keys.CountWorkloadsWithoutKeysAsync(cancellationToken) is > 0 and var missing
            ? new(
                RefusalCode.KeysUnavailable,
                $"There are no keys of {missing} of the issuers and trust domains for workloads; the log names them."
            )
            : null;

    private static string Rfc3339(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <param name="name">The part.</param>
    /// <param name="refusal">What keeps it from working.</param>
    /// <param name="note">What an operator should see to, though it works.</param>
    private static HealthPartResponse Part(string name, Refusal? refusal, string? note = null) =>
        new()
        {
            Name = name,
            Status = refusal is null ? Well : Ill,
            Code = refusal?.CodeText,
            Detail = refusal?.Detail ?? note,
        };
}
