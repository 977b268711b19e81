using CredBroker.Client;
using CredBroker.Core.Exchange;
using CredBroker.Core.Issuing;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Identity.Keys;

namespace CredBroker.Server.Endpoints.Health;

/// <summary>
/// The parts that a broker needs, and what keeps each from working. A part is ill exactly if it would have every
/// exchange refused, with the code that the exchange then gives: nothing here is judged by rules of its own.
/// </summary>
internal sealed class BrokerHealth(
    IBrokerStore store,
    PolicyControl policy,
    KeySources keys,
    ISecretIssuer issuer,
    CredentialExchange exchange
)
{
    public const string Well = "ok";
    public const string Ill = "unavailable";

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
            return Part("store", new(RefusalCode.StoreUnavailable, "The store does not answer."));
        }
    }

    /// <summary>Everything without which no exchange issues a secret, whoever asks.</summary>
    public async ValueTask<IReadOnlyList<HealthPartResponse>> IssuingAsync(CancellationToken cancellationToken) =>
        [
            await StoreAsync(cancellationToken),
            Part("policy", policy.Current is null ? new(RefusalCode.PolicyMissing, "No policy is in force.") : null),
            Part("keys", await KeysAsync(cancellationToken)),
            Part("vault", Vault(issuer.Status)),
            Part("clock", exchange.CheckClock()),
        ];

    /// <summary>
    /// One issuer or trust domain of workloads with keys is enough: its agents get their secrets, and what keeps the
    /// others' is in the log.
    /// </summary>
    private async ValueTask<Refusal?> KeysAsync(CancellationToken cancellationToken) =>
        await keys.CanVerifyWorkloadsAsync(cancellationToken)
            ? null
            : new(RefusalCode.KeysUnavailable, "There are no keys of any issuer or trust domain for workloads.");

    private static Refusal? Vault(IssuerStatus status) =>
        status.CanIssue ? null : status.Refusal ?? new(RefusalCode.IssuingPaused, "Issuing is paused.");

    private static HealthPartResponse Part(string name, Refusal? refusal) =>
        new()
        {
            Name = name,
            Status = refusal is null ? Well : Ill,
            Code = refusal?.CodeText,
            Detail = refusal?.Detail,
        };
}
