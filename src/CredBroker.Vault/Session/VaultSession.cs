using CredBroker.Core.Requests;
using CredBroker.Core.Text;
using CredBroker.Vault.Http;
using Microsoft.Extensions.Logging;

namespace CredBroker.Vault.Session;

/// <summary>
/// The broker's own login: gets a token from the token file or by AppRole, renews it when half of its life is over,
/// reads a changed token file, and logs in again when Vault no longer knows the token. One refresh at a time; everybody
/// else waits for it.
/// </summary>
internal sealed partial class VaultSession(VaultClient client, VaultOptions options, TimeProvider time, ILogger logger)
    : IDisposable
{
    /// <summary>How long a failed login, or a token that was just looked up, is not tried again.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _gate = new(1);
    private volatile OwnToken? _current;
    private VaultReply? _lastFailure;
    private DateTimeOffset _lastAttempt = DateTimeOffset.MinValue;

    /// <summary>The token as it stands; null before the first login.</summary>
    public OwnToken? Current => _current;

    /// <summary>
    /// Makes a call with the broker's own token by <paramref name="send"/>. An answer 403 may mean that the token is
    /// dead: then it is replaced and the call sent once more, which is safe because a 403 did nothing.
    /// </summary>
    public async ValueTask<VaultReply> SendAsync(
        VaultCall call,
        Func<VaultCall, CancellationToken, ValueTask<VaultReply>> send,
        CancellationToken cancellationToken
    )
    {
        if (_current is not { } used)
        {
            if (await RefreshAsync(cancellationToken) is { } failure)
            {
                return failure;
            }

            used = _current!;
        }

        var reply = await send(call.With(used.Token), cancellationToken);
        return reply is VaultReply.Declined { Status: 403 } && await IsReplacedAsync(used, cancellationToken)
            ? await send(call.With(_current!.Token), cancellationToken)
            : reply;
    }

    /// <summary>Logs in, renews or re-reads as is due. Null, or why there is no usable token.</summary>
    public async ValueTask<VaultReply?> RefreshAsync(CancellationToken cancellationToken)
    {
        if (!await EnterAsync(cancellationToken))
        {
            return new VaultReply.NotSent("the time for it was over");
        }

        try
        {
            return await RefreshHeldAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Makes sure that the token lives until then: logs in, renews or replaces it where it does not. Null, or why it
    /// cannot be relied on.
    /// </summary>
    public async ValueTask<Refusal?> EnsureUntilAsync(DateTimeOffset end, CancellationToken cancellationToken)
    {
        if (_current is { } now && now.EndsAt >= end)
        {
            return null;
        }

        if (!await EnterAsync(cancellationToken))
        {
            return VaultRefusals.Unreachable;
        }

        try
        {
            var failure = _current switch
            {
                null => await RefreshHeldAsync(cancellationToken),
                { } token when token.EndsAt < end && !InPause() => await RenewHeldAsync(token, cancellationToken),
                _ => null,
            };
            if (_current is { } renewed && renewed.EndsAt >= end)
            {
                return null;
            }

            return failure is null ? VaultRefusals.OwnTokenEnds : VaultRefusals.For(failure);
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    /// <summary>Waits for its turn; false when the caller's time is over first.</summary>
    private async ValueTask<bool> EnterAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _gate.WaitAsync(cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async ValueTask<VaultReply?> RefreshHeldAsync(CancellationToken cancellationToken)
    {
        if (_current is not { } token || HasFileChanged())
        {
            return InPause() && _lastFailure is not null ? _lastFailure : await LoginHeldAsync(cancellationToken);
        }

        return token.IsDue(time.GetUtcNow()) ? await RenewHeldAsync(token, cancellationToken) : null;
    }

    /// <summary>
    /// Whether another token is in use than the one that was refused: because somebody else has replaced it, or because
    /// Vault no longer knows it and a login gave a new one.
    /// </summary>
    private async ValueTask<bool> IsReplacedAsync(OwnToken refused, CancellationToken cancellationToken)
    {
        if (!await EnterAsync(cancellationToken))
        {
            return false;
        }

        try
        {
            if (_current != refused)
            {
                return _current is not null;
            }

            if (InPause())
            {
                return false;
            }

            _lastAttempt = time.GetUtcNow();
            var looked = await client.RepeatableAsync(LookupSelf(refused.Token), cancellationToken);
            return looked is VaultReply.Declined { Status: 403 } && await LoginHeldAsync(cancellationToken) is null;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async ValueTask<VaultReply?> RenewHeldAsync(OwnToken token, CancellationToken cancellationToken)
    {
        _lastAttempt = time.GetUtcNow();
        if (token.Facts.Renewable)
        {
            var asked = time.GetUtcNow();
            var body = VaultBodies.Of(
                new RenewSelfRequest($"{token.Facts.CreationTtl}s"),
                VaultJson.Default.RenewSelfRequest
            );
            var renewed = await client.OwnAsync(
                new(HttpMethod.Post, "auth/token/renew-self")
                {
                    Token = token.Token,
                    Body = body,
                    Timeout = options.CallTimeout,
                },
                cancellationToken
            );
            if (renewed is VaultReply.Done { Body.Auth: { LeaseDuration: > 0 } auth })
            {
                _current = new OwnToken(
                    token.Token,
                    token.Facts with
                    {
                        Ttl = auth.LeaseDuration,
                        Renewable = auth.Renewable,
                    },
                    asked
                );
                LogRenewed(logger, _current.EndsAt);
            }
            else
            {
                LogNotRenewed(logger, renewed.Why);
            }
        }

        // Not renewable, refused, or near the end of its whole life: a new login gives a new one.
        return _current is { } now && !now.IsDue(time.GetUtcNow()) ? null : await LoginHeldAsync(cancellationToken);
    }

    private async ValueTask<VaultReply?> LoginHeldAsync(CancellationToken cancellationToken)
    {
        _lastAttempt = time.GetUtcNow();
        var (token, failure) = options.AppRole is { } appRole
            ? await LoginAsync(appRole, cancellationToken)
            : (SecretFile.Read(options.TokenFile, out var fault), fault is null ? null : new VaultReply.NoLogin(fault));
        if (token is not null)
        {
            var asked = time.GetUtcNow();
            var looked = await client.RepeatableAsync(LookupSelf(token), cancellationToken);
            if (looked is VaultReply.Done { Body: { } body } && body.As(VaultJson.Default.TokenFacts) is { } facts)
            {
                (_current, _lastFailure) = (new OwnToken(token, facts, asked), null);
                LogLoggedIn(logger, _current.EndsAt, facts.Policies);
                return null;
            }

            failure =
                looked is VaultReply.Done
                    ? new VaultReply.Lost("the lookup of the broker's own token has no data")
                    : looked;
        }

        LogNotLoggedIn(logger, failure!.Why);
        return _lastFailure = failure;
    }

    private async ValueTask<(SecretText? Token, VaultReply? Failure)> LoginAsync(
        AppRoleOptions appRole,
        CancellationToken cancellationToken
    )
    {
        if (SecretFile.Read(appRole.SecretIdFile, out var fault) is not { } secretId)
        {
            return (null, new VaultReply.NoLogin(fault!));
        }

        var body = VaultBodies.Of(
            new AppRoleLogin { RoleId = appRole.RoleId, SecretId = secretId.Reveal() },
            VaultJson.Default.AppRoleLogin
        );
        var reply = await client.RepeatableAsync(
            new(HttpMethod.Post, $"auth/{appRole.Mount}/login") { Body = body, Timeout = options.CallTimeout },
            cancellationToken
        );
        return reply is VaultReply.Done { Body.Auth.ClientToken: { Length: > 0 } token }
            ? (new SecretText(token), null)
            : (null, reply is VaultReply.Done ? new VaultReply.Lost("the login's answer has no token") : reply);
    }

    private bool InPause() => time.GetUtcNow() - _lastAttempt < Pause;

    private bool HasFileChanged() =>
        options.AppRole is null
        && SecretFile.Read(options.TokenFile, out _) is { } read
        && !string.Equals(read.Reveal(), _current?.Token.Reveal(), StringComparison.Ordinal);

    private VaultCall LookupSelf(SecretText token) =>
        new(HttpMethod.Get, "auth/token/lookup-self") { Token = token, Timeout = options.CallTimeout };

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Logged in to Vault; the token ends {EndsAt:O} and has the policies {Policies}."
    )]
    private static partial void LogLoggedIn(ILogger logger, DateTimeOffset endsAt, IReadOnlyList<string> policies);

    [LoggerMessage(Level = LogLevel.Error, Message = "Logging in to Vault failed. {Why}")]
    private static partial void LogNotLoggedIn(ILogger logger, string why);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Renewed the broker's own Vault token; it ends {EndsAt:O}.")]
    private static partial void LogRenewed(ILogger logger, DateTimeOffset endsAt);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The broker's own Vault token was not renewed; logging in again. {Why}"
    )]
    private static partial void LogNotRenewed(ILogger logger, string why);
}
