using CredBroker.Client;

namespace CredBroker.Cli.Login;

/// <summary>The token of a stored login, renewed with its refresh token when it is about to end.</summary>
internal sealed class LoginTokenSource(LoginStore store, Uri server, Terminal terminal) : ITokenSource
{
    // A call and the issuer's clock have room.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    public string Description => $"your login at {server}";

    public IReadOnlyList<string> Variables => [];

    public async ValueTask<string> ReadAsync(CancellationToken cancellationToken)
    {
        if (await store.ReadAsync(server, cancellationToken) is { } login && IsFresh(login))
        {
            return login.Tokens.Token;
        }

        using var alone = await store.LockAsync(cancellationToken);

        // Another process may have renewed it, or logged out, meanwhile.
        if (await store.ReadAsync(server, cancellationToken) is not { } stored)
        {
            throw Ended();
        }

        return IsFresh(stored) ? stored.Tokens.Token : await RenewAsync(stored, cancellationToken);
    }

    private bool IsFresh(StoredLogin login) => login.Tokens.ExpiresAt - Margin > terminal.Time.GetUtcNow();

    private async Task<string> RenewAsync(StoredLogin login, CancellationToken cancellationToken)
    {
        if (login.Tokens.RefreshToken is not { } refresh)
        {
            // What is left of its last half minute is still its.
            return login.Tokens.ExpiresAt > terminal.Time.GetUtcNow() ? login.Tokens.Token : throw Ended();
        }

        var target = login.Target;
        using var connection = new IssuerConnection(IssuerMetadata.AddressOf(target.Issuer));
        try
        {
            var metadata = await IssuerMetadata.FetchAsync(connection, target.Issuer, cancellationToken);
            var form = target.Form();
            form.Add(new("grant_type", "refresh_token"));
            form.Add(new("refresh_token", refresh));

            // From here the old refresh token may be used up: what comes is kept before anything else can happen.
            using var answer = await connection.PostAsync(metadata.Token, form, CancellationToken.None);
            if (answer.Error == "invalid_grant")
            {
                throw Ended();
            }

            IssuedTokens tokens;
            try
            {
                tokens = IssuedTokens.Read(answer, target, terminal.Time);
            }
            catch (CliException) when (IssuedTokens.RefreshTokenIn(answer) is not null)
            {
                // The old one is used up: without the new one the login would have ended with this answer.
                var next = login.Tokens with
                {
                    RefreshToken = IssuedTokens.RefreshTokenIn(answer),
                };
                await store.WriteAsync(login with { Tokens = next }, CancellationToken.None);
                throw;
            }

            await store.WriteAsync(
                login with
                {
                    Tokens = tokens with { RefreshToken = tokens.RefreshToken ?? refresh },
                },
                CancellationToken.None
            );
            return tokens.Token;
        }
        catch (IssuerUnreachableException exception)
        {
            throw new TokenSourceException(exception.Message, "Try again.", isTransient: true);
        }
    }

    private TokenSourceException Ended() =>
        new($"Your login at {server} has ended.", "Log in again: \"credbroker login\".");
}
