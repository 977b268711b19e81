using System.CommandLine;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Cli.Login;
using CredBroker.Client;
using CredBroker.Core.Identity.Verification;

namespace CredBroker.Cli.Connection;

/// <summary>The options of every command that talks to a broker: where it is, whom to trust, and who we are.</summary>
internal sealed class BrokerOptions(Terminal terminal, string tokenFileName = "--token-file")
{
    public const string ServerVariable = "CREDBROKER_SERVER";
    public const string CaVariable = "CREDBROKER_CA_FILE";

    private readonly Option<string?> _server = new("--server")
    {
        HelpName = "URL",
        Description = $"The broker's address [{ServerVariable}]",
    };
    private readonly Option<string?> _caFile = new("--ca-file")
    {
        HelpName = "FILE",
        Description = $"PEM certificates that the broker's own must chain to, instead of the system's [{CaVariable}]",
    };
    private readonly Option<string?> _tokenFile = new(tokenFileName)
    {
        HelpName = "FILE",
        Description = $"The file that holds the identity token; read again for each call [{TokenSource.FileVariable}]",
    };
    private readonly Option<string?> _audience = new("--audience")
    {
        HelpName = "NAME",
        Description = "The audience to ask GitHub's token for; the broker's address unless given",
    };

    /// <summary>For commands that only need to know the broker.</summary>
    public void AddServer(Command command)
    {
        command.Add(_server);
        command.Add(_caFile);
    }

    /// <summary>For commands of people: their token comes from a file, or from their login.</summary>
    public void AddForPeople(Command command)
    {
        AddServer(command);
        command.Add(_tokenFile);
    }

    /// <summary>For commands of agents: their token may also come from where they run.</summary>
    public void AddForAgents(Command command)
    {
        AddForPeople(command);
        command.Add(_audience);
    }

    public BrokerConnection ConnectAsAgent(ParseResult parsed) => Connect(parsed, AgentToken(parsed, Address(parsed)));

    /// <summary>For calls that need no token; where one is sent, <paramref name="token"/> gives it.</summary>
    public BrokerConnection Connect(ParseResult parsed, ITokenSource token) =>
        new(Address(parsed), token, Handler(parsed));

    public BrokerConnection ConnectAsPerson(ParseResult parsed) =>
        Connect(parsed, PersonToken(parsed) ?? throw NotLoggedIn(parsed));

    /// <summary>For calls of both: as the person who is logged in, or else as the workload that runs here.</summary>
    public BrokerConnection ConnectAsEither(ParseResult parsed) => Connect(parsed, EitherToken(parsed));

    /// <summary>The token of the person who is logged in, or else of the workload that runs here.</summary>
    public ITokenSource EitherToken(ParseResult parsed)
    {
        if (PersonToken(parsed) is { } person)
        {
            return person;
        }

        try
        {
            return AgentToken(parsed, Address(parsed));
        }
        catch (CliException exception)
        {
            throw CliException.Usage(
                $"You are not logged in at {Address(parsed)}, and no workload's token is here.",
                $"Run \"credbroker login\"; as a workload: {exception.Next}"
            );
        }
    }

    /// <summary>A workload's token: of the file that is named, or from where we run.</summary>
    public ITokenSource AgentToken(ParseResult parsed, Uri address)
    {
        if (parsed.GetValue(_tokenFile) is { } path)
        {
            return TokenSource.File(path);
        }

        try
        {
            var audience = parsed.GetValue(_audience) ?? address.GetLeftPart(UriPartial.Authority);
            return TokenSource.Detect(audience, terminal.Variable);
        }
        catch (TokenSourceException exception)
        {
            throw CliException.Usage(exception.Message, $"Give {_tokenFile.Name} FILE. {exception.NextStep}");
        }
    }

    /// <summary>Whether an address is given at all.</summary>
    public bool HasServer(ParseResult parsed) => Given(parsed) is not null;

    /// <summary>Whether an address is named by the command itself, and there is a person's token.</summary>
    public bool NamesServer(ParseResult parsed) =>
        parsed.GetValue(_server) is not null && PersonToken(parsed) is not null;

    public Uri Address(ParseResult parsed)
    {
        if (Given(parsed) is not { } text)
        {
            throw CliException.Usage(
                "There is no broker address.",
                $"Give --server https://… or set {ServerVariable}."
            );
        }

        if (
            !Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out var address)
            || (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp)
            || address.UserInfo.Length > 0
            || address.Query.Length > 0
            || address.Fragment.Length > 0
        )
        {
            throw CliException.Usage($"\"{text}\" is no broker address.", "Write it as https://host:port.");
        }

        return address.Scheme == Uri.UriSchemeHttps || address.IsLoopback
            ? address
            : throw CliException.Usage(
                $"\"{text}\" would send tokens and secrets in clear.",
                "Use https://; plain http is for loopback only."
            );
    }

    private SocketsHttpHandler Handler(ParseResult parsed)
    {
        var handler = BrokerConnection.CreateHandler(Address(parsed));
        if ((parsed.GetValue(_caFile) ?? terminal.Variable(CaVariable)) is { } path)
        {
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = TrustOnly(path) };
        }

        return handler;
    }

    /// <summary>A person's token: from the file that is named, or from their login at the broker; null without both.</summary>
    private ITokenSource? PersonToken(ParseResult parsed)
    {
        if ((parsed.GetValue(_tokenFile) ?? terminal.Variable(TokenSource.FileVariable)) is { } path)
        {
            return TokenSource.File(path);
        }

        var (store, server) = (new LoginStore(terminal), Address(parsed));
        return store.Has(server) ? new LoginTokenSource(store, server, terminal) : null;
    }

    private CliException NotLoggedIn(ParseResult parsed) =>
        CliException.Usage(
            $"There is no token: you are not logged in at {Address(parsed)}.",
            $"Run \"credbroker login\", or name a file that holds your access token with {_tokenFile.Name} or {TokenSource.FileVariable}. A token is never taken as an argument: others could see it."
        );

    private string? Given(ParseResult parsed) => parsed.GetValue(_server) ?? terminal.Variable(ServerVariable);

    private static X509ChainPolicy TrustOnly(string path)
    {
        X509ChainPolicy policy;
        try
        {
            policy = CertificateAuthorities.TrustOnly(path);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw CliException.Usage(
                $"The CA file cannot be read: {exception.Message}",
                "It should hold PEM certificates."
            );
        }

        return policy.CustomTrustStore.Count > 0
            ? policy
            : throw CliException.Usage($"The CA file {path} holds no certificate.", "It should hold PEM certificates.");
    }
}
