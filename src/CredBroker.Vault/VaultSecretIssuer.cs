using System.Text.Json;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Vault.Engines;
using CredBroker.Vault.Http;
using CredBroker.Vault.Session;
using Microsoft.Extensions.Logging;

namespace CredBroker.Vault;

/// <summary>
/// Issues, renews and revokes over the HTTP API of Vault or OpenBao. What may be sent twice is decided per operation in
/// <see cref="VaultClient"/>.
/// </summary>
public sealed partial class VaultSecretIssuer : ISecretIssuer, IDisposable
{
    private readonly VaultOptions _options;
    private readonly VaultCluster _cluster;
    private readonly VaultNames _names;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly VaultTransport _transport;
    private readonly VaultTransport _control;
    private readonly MintBulkheads _bulkheads;
    private readonly VaultRevocation _revocation;
    private readonly VaultRenewal _renewal;
    private readonly VaultLeases _leases;
    private readonly VaultRoles _roles;
    private readonly VaultReaper _reaper;

    /// <summary>Connections for revocation, lookup and login, beside those for making secrets.</summary>
    private const int ControlConnections = 64;

    private volatile IssuerStatus _lastProbe = new(false, VaultRefusals.NotProven, null);

    /// <summary>Takes settings that have been validated. Nothing is sent before the first call.</summary>
    public VaultSecretIssuer(
        VaultOptions options,
        TimeProvider time,
        ILogger<VaultSecretIssuer> logger,
        VaultCluster? cluster = null
    )
    {
        _cluster = cluster ?? new();
        (_options, _time, _logger) = (options, time, logger);
        _names = new(options.Installation);
        _transport = new(options, time);
        _control = new(options, time, ControlConnections, _cluster);
        _bulkheads = new(options, time);
        Client = new(_transport, time, logger, _control);
        Session = new(Client, options, time, logger);
        Children = new(Client, Session, options, time);
        _leases = new(Session, options);
        _roles = new(_leases, _names);
        _revocation = new(Client, Session, options);
        _reaper = new(Children, _revocation, _names, options);
        _renewal = new(Client, Session, options, time);
    }

    /// <inheritdoc/>
    public IssuerStatus Status =>
        _lastProbe is { CanIssue: true, ProvenAt: { } provenAt }
        && _time.GetUtcNow() - provenAt > 3 * _options.ProbeInterval
            ? new IssuerStatus(false, VaultRefusals.NotProven, provenAt)
            : _lastProbe;

    /// <inheritdoc/>
    public async ValueTask<IssuerStatus> ProbeAsync(CancellationToken cancellationToken)
    {
        var (refusal, why) = await TryProbeAsync(cancellationToken);
        if (refusal is null)
        {
            if (!_lastProbe.CanIssue)
            {
                LogProven(_logger);
            }

            return _lastProbe = new(true, null, _time.GetUtcNow());
        }

        if (refusal.Code == RefusalCode.VaultBusy && Status.CanIssue)
        {
            // Vault's quota says nothing of whether revoking works: the last proof holds as long as it is recent.
            return Status;
        }

        LogNotProven(_logger, why);
        return _lastProbe = new(false, refusal, _lastProbe.ProvenAt);
    }

    /// <inheritdoc/>
    public async ValueTask<PrepareOutcome> PrepareAsync(IssuancePlan plan, CancellationToken cancellationToken)
    {
        var entry = plan.Grant.Entry;
        var unfilled = entry.Params is null ? null : "The request filled in none of its parameters.";
        if ((unfilled ?? _names.FaultOf(entry)) is { } fault)
        {
            LogRefused(_logger, plan.LeaseId, entry.Name, fault);
            return new PrepareOutcome.Refused(VaultRefusals.Missing);
        }

        if (_bulkheads.Paused(entry) is { } pause)
        {
            return new PrepareOutcome.Refused(VaultRefusals.Paused(pause));
        }

        switch (entry.Vault)
        {
            case VaultBinding.KeyValue:
                return new PrepareOutcome.Prepared(null);
            case VaultBinding.Pki when RenderedNames.Render(entry.Names, plan.Identity) is null:
                return new PrepareOutcome.Refused(
                    new(
                        RefusalCode.NamesEmpty,
                        "This identity has no names for the certificate: "
                            + "a field that the credential's `names` use is empty or no fit name."
                    )
                );
            case VaultBinding.Pki when CsrRule.Check(entry.Vault, plan.Csr) is { } refusal:
                return new PrepareOutcome.Refused(refusal);
        }

        // The power to revoke comes before the power to issue: the broker's own token outlives what hangs on the child.
        if (
            await Session.EnsureUntilAsync(
                _time.GetUtcNow() + ChildTokens.LifeFor(plan.Grant.Ttl),
                cancellationToken
            ) is
            { } unable
        )
        {
            return new PrepareOutcome.Refused(unable);
        }

        var (child, reply) = await Children.CreateAsync(plan, cancellationToken);
        if (child is not null)
        {
            return new PrepareOutcome.Prepared(child);
        }

        LogRefused(_logger, plan.LeaseId, entry.Name, reply.Why);
        return new PrepareOutcome.Refused(VaultRefusals.For(reply));
    }

    /// <inheritdoc/>
    public async ValueTask<MintOutcome> MintAsync(
        IssuancePlan plan,
        ChildToken? child,
        CancellationToken cancellationToken
    )
    {
        var pass = await _bulkheads.EnterAsync(plan.Grant.Entry, cancellationToken);
        if (pass is null)
        {
            return new MintOutcome.Refused(
                VaultRefusals.Paused(_bulkheads.Paused(plan.Grant.Entry) ?? TimeSpan.FromSeconds(1))
            );
        }

        var call = SendMintAsync(plan, child, pass, cancellationToken);
        try
        {
            return await call.WaitAsync(_options.MintTimeout, _time, CancellationToken.None);
        }
        catch (TimeoutException) when (!call.IsFaulted)
        {
            // It keeps its place until Vault lets go of it.
            pass.Say(answered: false);
            LogLate(_logger, plan.LeaseId, plan.Grant.Entry.Name, _options.MintTimeout);
            return new MintOutcome.Unknown(VaultRefusals.OutcomeUnknown, call);
        }
    }

    private async Task<MintOutcome> SendMintAsync(
        IssuancePlan plan,
        ChildToken? child,
        MintPlace pass,
        CancellationToken cancellationToken
    )
    {
        using (pass)
        {
            var (asked, certified) = (_time.GetUtcNow(), RenderedNames.Render(plan.Grant.Entry.Names, plan.Identity));
            var reply = await SendAsync(plan, certified, child, cancellationToken);

            // Not that Vault is away: that is told by what is asked of it first, for all credentials together.
            pass.Say(answered: reply is not VaultReply.Lost);
            if (
                // A token's policy bounds parameters, too, and which of the two was missed cannot be told.
                reply is VaultReply.Declined { Status: 403 }
                && plan.Grant.Entry.Vault is not VaultBinding.Token
                && await MayAsync(child?.Accessor, VaultPaths.Mint(plan.Grant.Entry.Vault), cancellationToken)
            )
            {
                LogRefused(_logger, plan.LeaseId, plan.Grant.Entry.Name, "A policy asks for a wrapped answer.");
                return new MintOutcome.Refused(VaultRefusals.WantsWrapping);
            }

            return (reply, plan.Grant.Entry.Vault) switch
            {
                // A value is there before it is asked for: nothing was made.
                (VaultReply.Done { Body.AwaitsApproval: true }, VaultBinding.KeyValue) => new MintOutcome.Refused(
                    VaultRefusals.WantsApproval
                ),
                (VaultReply.Done { Body: var body }, VaultBinding.KeyValue kv) => KeyValueSecrets.Read(kv, body),
                // Done, and no word of what: Vault never answers a mint so.
                (VaultReply.Done { Body: var body }, _) when body == VaultBody.Empty => NotMinted(
                    plan,
                    new VaultReply.Lost("the answer to a mint is empty")
                ),
                // A wrapped secret would look the same: recovery proves that there is none.
                (VaultReply.Done { Body.AwaitsApproval: true }, _) => new MintOutcome.Unknown(
                    VaultRefusals.WantsApproval
                ),
                (VaultReply.Done { Body: var body }, VaultBinding.Pki pki) => CertificateSecrets.Read(
                    plan,
                    pki,
                    certified!,
                    body,
                    asked
                ),
                (VaultReply.Done { Body: var body }, VaultBinding.Token) => TokenSecrets.Read(
                    plan,
                    body,
                    asked,
                    Address,
                    _options.Namespace
                ),
                (VaultReply.Done { Body: var body }, _) => LeasedSecrets.Read(plan, body, asked, _time.GetUtcNow()),
                _ => NotMinted(plan, reply),
            };
        }
    }

    /// <summary>
    /// Whether a token (without an accessor the broker's own) may call a path as far as its policies' capabilities go: one
    /// that was refused there all the same lacks what else they ask for, a wrapped answer.
    /// </summary>
    private async ValueTask<bool> MayAsync(string? accessor, string path, CancellationToken cancellationToken)
    {
        var call = new VaultCall(HttpMethod.Post, $"sys/capabilities-{(accessor is null ? "self" : "accessor")}")
        {
            Body = VaultBodies.Of(new CapabilitiesRequest([path], accessor), VaultJson.Default.CapabilitiesRequest),
            Timeout = _options.CallTimeout,
        };
        return await Session.SendAsync(call, Client.RepeatableAsync, cancellationToken)
                is VaultReply.Done { Body.Data: { ValueKind: JsonValueKind.Object } data }
            && data.TryGetProperty(path, out var list)
            && list.ValueKind == JsonValueKind.Array
            && list.EnumerateArray().Any(item => item.ValueEquals("read") || item.ValueEquals("update"));
    }

    private ValueTask<VaultReply> SendAsync(
        IssuancePlan plan,
        RenderedNames? certified,
        ChildToken? child,
        CancellationToken cancellationToken
    )
    {
        if (plan.Grant.Entry.Vault is VaultBinding.KeyValue kv)
        {
            return Session.SendAsync(
                KeyValueSecrets.Call(plan, kv, _options.CallTimeout),
                Client.IssuingAsync,
                cancellationToken
            );
        }

        ArgumentNullException.ThrowIfNull(child);

        // Only the caller's token ends the call: cut off sooner, Vault could forget what its backend has made.
        var (token, timeout) = (child.Token, Timeout.InfiniteTimeSpan);
        return Client.OnceAsync(
            plan.Grant.Entry.Vault switch
            {
                VaultBinding.Pki pki => CertificateSecrets.Call(plan, pki, certified!, token, timeout),
                VaultBinding.Token role => TokenSecrets.Call(plan, role, token, timeout),
                var binding => LeasedSecrets.Call(binding, token, timeout),
            },
            cancellationToken
        );
    }

    /// <inheritdoc/>
    public ValueTask<RenewOutcome> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancellationToken) =>
        _renewal.RenewAsync(lease, ttl, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        Session.Dispose();
        _transport.Dispose();
        _control.Dispose();
    }

    /// <summary>The broker's own login, for <c>vault check</c>.</summary>
    internal VaultSession Session { get; }

    internal VaultClient Client { get; }

    internal ChildTokens Children { get; }

    private string Address => _transport.Address.GetLeftPart(UriPartial.Authority);

    /// <summary>
    /// What the answer to a call that mints says when it is not the secret. Only Vault's plain no counts as a no.
    /// </summary>
    private MintOutcome NotMinted(IssuancePlan plan, VaultReply reply)
    {
        LogRefused(_logger, plan.LeaseId, plan.Grant.Entry.Name, reply.Why);
        return
            plan.Grant.Entry.Vault is VaultBinding.KeyValue && reply is VaultReply.Declined
            || VaultRefusals.SaysNothingWasMade(reply)
            ? new MintOutcome.Refused(VaultRefusals.For(reply))
            : new MintOutcome.Unknown(VaultRefusals.OutcomeUnknown);
    }

    /// <summary>
    /// Own token, a child made, revoked and gone, and the right to revoke leases. Null, or why issuing is not safe.
    /// </summary>
    private async ValueTask<(Refusal? Refusal, string Why)> TryProbeAsync(CancellationToken cancellationToken)
    {
        // Before the login: another cluster is asked for no proof.
        var unseen = await Client.SeeClusterAsync(cancellationToken);
        if (unseen is VaultReply.Lost { IsOfAnotherCluster: true })
        {
            return (_cluster.Refusal ?? VaultCluster.Another, unseen.Why);
        }

        if (unseen is VaultReply.Lost { IsDoubted: true })
        {
            return (_cluster.Refusal ?? VaultRefusals.NotProven, unseen.Why);
        }

        if (await Session.RefreshAsync(cancellationToken) is { } failure)
        {
            return (VaultRefusals.For(failure), failure.Why);
        }

        var (child, reply) = await Children.CreateProbeAsync(cancellationToken);
        if (child is null)
        {
            return (VaultRefusals.For(reply), reply.Why);
        }

        // Vault answers 204 for a lease that it does not know, and 403 to a caller that may not revoke.
        var proven = await _revocation.RevokeAccessorAsync(child.Accessor, cancellationToken);
        if (proven is RevokeOutcome.Confirmed)
        {
            proven = await ProveAsync(
                async proof =>
                    await _revocation.ConfirmGoneAsync([child.Accessor], proof, cancellationToken)
                        is RevokeOutcome.Failed stillThere
                        ? stillThere
                        : await _revocation.RevokeLeaseAsync(
                            $"{VaultPaths.TokenCreate(_names.Probe)}/none",
                            proof,
                            cancellationToken
                        ),
                cancellationToken
            );
        }

        if (proven is RevokeOutcome.Failed failed)
        {
            return (VaultRefusals.NotProven, failed.Error);
        }

        if (unseen is not null)
        {
            return (VaultRefusals.For(unseen), $"Which cluster of Vault answers is not known. {unseen.Why}");
        }

        return Session.Current is { } own && own.EndsAt <= _time.GetUtcNow() + 2 * _options.ProbeInterval
            ? (VaultRefusals.OwnTokenEnds, "the broker's own token ends before the next probe")
            : (null, "");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Revoking has been proven to work: the broker issues.")]
    private static partial void LogProven(ILogger logger);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Revoking could not be proven to work, so the broker issues nothing. {Why}"
    )]
    private static partial void LogNotProven(ILogger logger, string why);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Vault has not made the secret of lease {LeaseId} ({Credential}) within {Timeout}; "
            + "its agent was told so, and what may still come is revoked."
    )]
    private static partial void LogLate(ILogger logger, string leaseId, string credential, TimeSpan timeout);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Nothing was issued for lease {LeaseId} ({Credential}). {Why}")]
    private static partial void LogRefused(ILogger logger, string leaseId, string credential, string why);
}
