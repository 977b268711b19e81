using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Text;
using CredBroker.Vault.Http;
using CredBroker.Vault.Session;

namespace CredBroker.Vault.Engines;

/// <summary>
/// Makes the child token that one secret will hang on (the step Prepare), with the lease in its name and metadata, and
/// the newest audit record as an anchor in Vault's own log.
/// </summary>
internal sealed class ChildTokens(VaultClient client, VaultSession session, VaultOptions options, TimeProvider time)
{
    /// <summary>
    /// What a child token lives longer than its secret, so that the broker, not Vault, ends the secret.
    /// </summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    /// <summary>How long a reaper's token lives: it makes one call.</summary>
    public static readonly TimeSpan ReaperLife = TimeSpan.FromMinutes(5);

    private readonly VaultNames _names = new(options.Installation);

    /// <summary>How long the child token of a secret with this life lives.</summary>
    public static TimeSpan LifeFor(TimeSpan ttl) => ttl + Margin;

    public ValueTask<(ChildToken? Child, VaultReply Reply)> CreateAsync(
        IssuancePlan plan,
        CancellationToken cancellationToken
    ) =>
        CreateAsync(
            _names.Credential(plan.Grant.Entry.Name),
            Request(plan, LifeFor(plan.Grant.Ttl)),
            client.IssuingAsync,
            cancellationToken
        );

    /// <summary>A token named after the lease whose users it may have removed; it can do nothing else.</summary>
    public ValueTask<(ChildToken? Child, VaultReply Reply)> CreateReaperAsync(
        CatalogueEntry entry,
        string leaseId,
        VaultProof proof,
        CancellationToken cancellationToken
    ) =>
        CreateAsync(
            VaultNames.Reaper(_names.Credential(entry.Name)),
            new TokenRequest(
                VaultBodies.Ttl(ReaperLife),
                $"cb-{leaseId}",
                new Dictionary<string, string>(2) { ["lease"] = leaseId, ["credential"] = entry.Name }
            ),
            proof.SendAsync,
            cancellationToken
        );

    /// <summary>The probe's token: it can do nothing.</summary>
    public ValueTask<(ChildToken? Child, VaultReply Reply)> CreateProbeAsync(CancellationToken cancellationToken) =>
        CreateAsync(
            _names.Probe,
            new TokenRequest("60s", "cb-probe", new Dictionary<string, string>()),
            client.OwnAsync,
            cancellationToken
        );

    /// <summary>
    /// A token for this issuance: the lease in its name, and in its metadata what an auditor joins and anchors.
    /// </summary>
    public static TokenRequest Request(IssuancePlan plan, TimeSpan ttl) =>
        new(
            VaultBodies.Ttl(ttl),
            $"cb-{plan.LeaseId}",
            new Dictionary<string, string>(8)
            {
                ["lease"] = plan.LeaseId,
                ["process"] = plan.Task.Process,
                ["task"] = plan.Task.Id,
                ["agent"] = plan.Agent,
                ["credential"] = plan.Grant.Entry.Name,
                ["stream"] = plan.Anchor.Stream,
                ["sequence"] = plan.Anchor.Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture),
                ["hash"] = plan.Anchor.Hash,
            }
        );

    public async ValueTask<(ChildToken? Child, VaultReply Reply)> CreateAsync(
        string role,
        TokenRequest request,
        Func<VaultCall, CancellationToken, ValueTask<VaultReply>> send,
        CancellationToken cancellationToken
    )
    {
        var asked = time.GetUtcNow();
        var call = new VaultCall(HttpMethod.Post, VaultPaths.TokenCreate(role))
        {
            Body = VaultBodies.Of(request, VaultJson.Default.TokenRequest),
            Timeout = options.CallTimeout,
        };
        var reply = await session.SendAsync(call, send, cancellationToken);
        if (reply is not VaultReply.Done { Body: var body })
        {
            return (null, reply);
        }

        if (body.Auth is not { ClientToken: { Length: > 0 } token, Accessor: { Length: > 0 } accessor } auth)
        {
            return (null, new VaultReply.Lost("the answer to a token's creation holds no token with an accessor"));
        }

        if (FaultOf(auth) is { } fault)
        {
            // Whoever waits for the answer: this token goes now.
            await session.SendAsync(
                AccessorCalls.Revoke(accessor, options.CallTimeout),
                client.RepeatableAsync,
                CancellationToken.None
            );
            return (null, new VaultReply.Declined(200, fault));
        }

        return (
            new ChildToken(new SecretText(token), accessor, asked + TimeSpan.FromSeconds(auth.LeaseDuration)),
            reply
        );
    }

    /// <summary>
    /// What makes a token unfit for a secret to hang on: the role is not as <c>vault setup</c> makes it.
    /// </summary>
    private static string? FaultOf(VaultAuth auth) =>
        auth switch
        {
            { LeaseDuration: <= 0 } => "the child token would never end",
            { Orphan: false } => "the child token would end with the broker's own: its role must set orphan",
            { TokenPolicies: { } policies } when policies.Contains("root") =>
                "the child token may do everything: its role must list allowed_policies",
            _ => null,
        };
}
