using System.CommandLine;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
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

    /// <summary>For commands of people: their token comes from a file alone.</summary>
    public void AddForPeople(Command command)
    {
        command.Add(_server);
        command.Add(_caFile);
        command.Add(_tokenFile);
    }

    /// <summary>For commands of agents: their token may also come from where they run.</summary>
    public void AddForAgents(Command command)
    {
        AddForPeople(command);
        command.Add(_audience);
    }

    public BrokerSession ConnectAsAgent(ParseResult parsed)
    {
        var address = Address(parsed);
        return new(address, Handler(parsed), AgentToken(parsed, address));
    }

    public BrokerSession ConnectAsPerson(ParseResult parsed) =>
        new(Address(parsed), Handler(parsed), TokenSource.ForPerson(parsed.GetValue(_tokenFile), terminal));

    public TokenSource AgentToken(ParseResult parsed, Uri address) =>
        TokenSource.ForAgent(
            parsed.GetValue(_tokenFile),
            parsed.GetValue(_audience) ?? address.GetLeftPart(UriPartial.Authority),
            terminal,
            () => new SocketsHttpHandler { AllowAutoRedirect = false }
        );

    /// <summary>Whether an address is given at all.</summary>
    public bool HasServer(ParseResult parsed) => Given(parsed) is not null;

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

    public SocketsHttpHandler Handler(ParseResult parsed)
    {
        // A proxy between two programs of one machine would be handed tokens in clear.
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !Address(parsed).IsLoopback,
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        if ((parsed.GetValue(_caFile) ?? terminal.Variable(CaVariable)) is { } path)
        {
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = TrustOnly(path) };
        }

        return handler;
    }

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

/// <summary>A client, the connection under it, and the token it speaks with.</summary>
internal sealed class BrokerSession : IDisposable
{
    private readonly HttpClient _http;

    public BrokerSession(Uri address, HttpMessageHandler handler, TokenSource token)
    {
        (Address, Token) = (address, token);
        _http = new HttpClient(handler) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
        Client = new(_http, token.ReadAsync);
    }

    public Uri Address { get; }

    public TokenSource Token { get; }

    public BrokerClient Client { get; }

    public void Dispose() => _http.Dispose();
}
