using System.CommandLine;
using System.Globalization;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Login;
using CredBroker.Cli.Output;

namespace CredBroker.Cli.Commands.Login;

/// <summary>
/// <c>credbroker logout</c>: has the issuer revoke the login (RFC 7009) where it can, and forgets it whatever the issuer
/// does. Only where the folder of logins cannot be trusted is nothing touched: then it says so, and the login stays.
/// </summary>
internal sealed class LogoutCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;

    public LogoutCommand(Terminal terminal)
        : base("logout", "Forget the login, and have its issuer revoke it.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _broker.AddServer(this);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var server = _broker.Address(parsed);
        var store = new LoginStore(_terminal);
        if (!store.Has(server))
        {
            _terminal.Error.WriteLine(Printable.Text($"You are not logged in at {server}."));
            return ExitCodes.Done;
        }

        using var alone = await store.LockAsync(cancellationToken);
        StoredLogin? login = null;
        string? left;
        try
        {
            login = await store.ReadAsync(server, cancellationToken);
            left = login is null ? null : await RevokeAsync(login, cancellationToken);
        }
        catch (CliException exception)
        {
            left = exception.Message;
        }
        catch (IssuerUnreachableException exception)
        {
            left = exception.Message;
        }
        finally
        {
            await store.ForgetAsync(server, CancellationToken.None);
        }

        _terminal.Error.WriteLine("Logged out: the login is forgotten here.");
        if (login is not null && login.Tokens.ExpiresAt > _terminal.Time.GetUtcNow())
        {
            _terminal.Error.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Whoever has a copy of its token can use it until {login.Tokens.ExpiresAt:u}: a broker asks no issuer."
                )
            );
        }

        if (left is null)
        {
            return ExitCodes.Done;
        }

        Failures.Tell($"The issuer has not revoked the login: {left}", "End the session at the issuer.", _terminal);
        return ExitCodes.Unavailable;
    }

    /// <summary>Has the issuer revoke what the next token could be had with; says why it did not, else null.</summary>
    private static async Task<string?> RevokeAsync(StoredLogin login, CancellationToken cancellationToken)
    {
        var target = login.Target;
        using var connection = new IssuerConnection(IssuerMetadata.AddressOf(target.Issuer));
        var metadata = await IssuerMetadata.FetchAsync(connection, target.Issuer, cancellationToken);
        if (metadata.Revocation is not { } endpoint)
        {
            return login.Tokens.RefreshToken is null ? null : $"{target.Issuer} names no address for it.";
        }

        // Many issuers revoke no token of the kind that the broker verifies by itself: nothing is concluded from that.
        if (login.Tokens.RefreshToken is not { } refresh)
        {
            (await RevokeAsync(login.Tokens.Token, "access_token")).Dispose();
            return null;
        }

        // First what outlives the other and gets new ones: whatever comes between the two leaves the lesser.
        using var answer = await RevokeAsync(refresh, "refresh_token");
        try
        {
            (await RevokeAsync(login.Tokens.Token, "access_token")).Dispose();
        }
        catch (IssuerUnreachableException)
        {
            // As above. Whether the login is revoked, the first answer has said.
        }

        return answer.IsOk ? null : answer.Words;

        Task<IssuerAnswer> RevokeAsync(string token, string kind) =>
            connection.PostAsync(
                endpoint,
                [new("token", token), new("token_type_hint", kind), new("client_id", target.ClientId)],
                cancellationToken
            );
    }
}
