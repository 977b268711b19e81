using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Cli.Output;

namespace CredBroker.Cli.Login;

/// <summary>
/// The authorization code flow with PKCE, for a native program (RFC 7636 with S256, RFC 8252): the browser comes back to
/// a port of this machine's loopback that is open for this one login.
/// </summary>
/// <remarks>
/// <c>state</c> says that the browser answers this login and no other; <c>iss</c> (RFC 9207) that the issuer does which
/// was asked; the verifier, which never leaves this process but to the token endpoint, that a code which was made for
/// another login's challenge is worth nothing here, and this one's code nothing elsewhere.
/// </remarks>
internal sealed class BrowserLogin(IssuerConnection connection, Terminal terminal)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public async Task<IssuedTokens> RunAsync(
        LoginTarget target,
        IssuerMetadata metadata,
        CancellationToken cancellationToken
    )
    {
        if (metadata.Authorization is null)
        {
            throw CliException.Usage($"{target.Issuer} has no page to log in at.", "Log in with --device.");
        }

        var (state, verifier) = (Random(), Random());
        await using var callback = LoopbackCallback.Open(state);
        var address = Address(metadata.Authorization, target, callback.Address, state, verifier);
        terminal.Error.WriteLine($"Log in at {Printable.Text(address.AbsoluteUri)}");
        terminal.OpenBrowser(address);

        var answer = await AnswerAsync(callback, cancellationToken);
        if (answer.Issuer is { } issuer ? issuer != target.Issuer : metadata.NamesItself)
        {
            throw Fault(
                answer.Issuer is null
                    ? $"The browser's answer does not say that it is {target.Issuer}'s, which says that all of its do."
                    : $"The browser's answer is of another issuer than {target.Issuer}."
            );
        }

        if (answer.Code is not { Length: > 0 } code)
        {
            throw Fault($"{target.Issuer} refused the login: {answer.Error ?? "it gave no code"}.");
        }

        var form = new List<KeyValuePair<string, string>>
        {
            new("grant_type", "authorization_code"),
            new("code", code),
            new("redirect_uri", callback.Address.AbsoluteUri),
            new("client_id", target.ClientId),
            new("code_verifier", verifier),
        };
        if (target.Resource is not null)
        {
            form.Add(new("resource", target.Resource));
        }

        using var tokens = await connection.PostAsync(metadata.Token, form, cancellationToken);
        return IssuedTokens.Read(tokens, target, terminal.Time);
    }

    /// <summary>Where the browser is sent.</summary>
    internal static Uri Address(Uri endpoint, LoginTarget target, Uri redirect, string state, string verifier)
    {
        var query = target.Form();
        query.Add(new("response_type", "code"));
        query.Add(new("redirect_uri", redirect.AbsoluteUri));
        query.Add(new("state", state));
        query.Add(new("code_challenge", Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)))));
        query.Add(new("code_challenge_method", "S256"));
        if (target.Scopes.Contains("offline_access"))
        {
            // OpenID Connect Core, section 11: without it a request for a refresh token is ignored.
            query.Add(new("prompt", "consent"));
        }

        var text = string.Join('&', query.Select(p => $"{p.Key}={Uri.EscapeDataString(p.Value)}"));
        return new($"{endpoint.AbsoluteUri}{(endpoint.Query.Length > 0 ? '&' : '?')}{text}");
    }

    private async Task<CallbackAnswer> AnswerAsync(LoopbackCallback callback, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, terminal.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await callback.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Fault("Nobody logged in in time.");
        }
    }

    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    private static CliException Fault(string message) => new(ExitCodes.Refused, message, "Log in again.");
}
