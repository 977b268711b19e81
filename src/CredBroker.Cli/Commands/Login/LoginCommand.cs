using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Login;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Login;

/// <summary><c>credbroker login</c>: a person logs in, and the other commands of people use the login.</summary>
internal sealed class LoginCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Option<string?> _issuer = new("--issuer")
    {
        HelpName = "URL",
        Description = "The issuer to log in at; the one that the broker names unless given",
    };
    private readonly Option<string?> _client = new("--client-id")
    {
        HelpName = "ID",
        Description = "The client that is registered there; with --issuer and --audience the broker is not asked",
    };
    private readonly Option<string?> _audience = new("--audience")
    {
        HelpName = "NAME",
        Description = "The audience that the token must have",
    };
    private readonly Option<string[]> _scopes = new("--scope")
    {
        HelpName = "NAME",
        Description = "A scope to ask for; may be given more than once",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<bool> _device = new("--device")
    {
        Description = "Show a code to enter in a browser on any machine (the default where there is no browser)",
    };
    private readonly Option<bool> _browser = new("--browser")
    {
        Description = "Use the browser of this machine (the default where there is one)",
    };

    public LoginCommand(Terminal terminal)
        : base("login", "Log in as a person: the other commands then need no token file.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _broker.AddServer(this);
        Add(_issuer);
        Add(_client);
        Add(_audience);
        Add(_scopes);
        Add(_device);
        Add(_browser);
        Add(OutputOption.Create());
        Validators.Add(result =>
        {
            if (result.GetValue(_device) && result.GetValue(_browser))
            {
                result.AddError("Give --device or --browser, not both.");
            }
        });
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var target = await TargetAsync(parsed, cancellationToken);
        using var issuer = new IssuerConnection(IssuerMetadata.AddressOf(target.Issuer));
        var metadata = await IssuerMetadata.FetchAsync(issuer, target.Issuer, cancellationToken);
        _terminal.Error.WriteLine(
            Printable.Text(
                $"Logging in at {target.Issuer} as {target.ClientId}, for {target.Server} (audience {target.Audience})."
            )
        );
        var byBrowser = parsed.GetValue(_browser) || (!parsed.GetValue(_device) && Browser.IsHere(_terminal.Variable));
        var tokens = byBrowser
            ? await new BrowserLogin(issuer, _terminal).RunAsync(target, metadata, cancellationToken)
            : await new DeviceLogin(issuer, _terminal).RunAsync(target, metadata, cancellationToken);

        // Nothing is kept that the broker does not take.
        using var connection = _broker.Connect(
            parsed,
            TokenSource.From(_ => ValueTask.FromResult(tokens.Token), "the issuer's answer")
        );
        var whoami = await connection.WhoamiAsync(cancellationToken);
        if (whoami.Person is null)
        {
            throw new CliException(
                ExitCodes.Refused,
                $"{target.Server} sees a workload in the token, and no person.",
                "The issuer or the audience is one for workloads: give those for people."
            );
        }

        var store = new LoginStore(_terminal);
        using (await store.LockAsync(cancellationToken))
        {
            var place = await store.WriteAsync(new(target, tokens), cancellationToken);
            _terminal.Error.WriteLine(Printable.Text($"Logged in. The login is kept in {place}."));
        }

        WhoamiTable.Write(_terminal, OutputOption.Of(parsed, _terminal), whoami);
        return ExitCodes.Done;
    }

    private async Task<LoginTarget> TargetAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var server = _broker.Address(parsed);
        var (issuer, client, audience) = (
            parsed.GetValue(_issuer),
            parsed.GetValue(_client),
            parsed.GetValue(_audience)
        );
        var scopes = parsed.GetRequiredValue(_scopes);
        if (issuer is not null && client is not null && audience is not null)
        {
            return new(server, issuer, client, audience, scopes.Length > 0 ? scopes : ["openid"], null);
        }

        using var connection = _broker.Connect(parsed, TokenSource.From(_ => throw new NotSupportedException()));
        var named = (await connection.GetLoginAsync(cancellationToken)).Issuers;
        var chosen = named.Where(one => issuer is null || one.Issuer == issuer).ToList();
        if (chosen is not [var only])
        {
            throw CliException.Usage(
                (named.Count, chosen.Count) switch
                {
                    (0, _) => $"{server} names no issuer to log in at.",
                    (_, 0) => $"{server} does not name the issuer {issuer}.",
                    _ => $"{server} names several issuers: {string.Join(", ", named.Select(one => one.Issuer))}.",
                },
                named.Count > 1
                    ? "Choose one with --issuer."
                    : "Ask the broker's operator for Login in its settings, or give --issuer, --client-id and --audience."
            );
        }

        return LoginTarget.Of(server, only) with
        {
            ClientId = client ?? only.ClientId,
            Audience = audience ?? only.Audience,
            Scopes = scopes.Length > 0 ? scopes : only.Scopes,
        };
    }
}
