using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using CredBroker.Cli;
using CredBroker.Cli.Login;
using CredBroker.Client;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>A stub broker, a stub issuer of people's tokens, and a config folder, for one test.</summary>
internal sealed class LoginFixture : IAsyncDisposable
{
    public const string Audience = "credbroker-admin";

    public StubBroker Broker { get; private init; } = null!;

    public StubBroker Idp { get; private init; } = null!;

    public string Home { get; } = Directory.CreateTempSubdirectory("credbroker-login-").FullName;

    public string Folder => Path.Combine(Home, "credbroker");

    /// <summary>The issuer's name.</summary>
    public string Issuer => Idp.Address.AbsoluteUri.TrimEnd('/');

    /// <summary>What the browser is sent to; a test plays the person.</summary>
    public Func<Uri, Task> Person { get; set; } = _ => Task.CompletedTask;

    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>A folder on PATH, for programs that a test puts there; nothing else is on it.</summary>
    public string Programs => Path.Combine(Home, "bin");

    public Dictionary<string, string> Environment =>
        new()
        {
            ["CREDBROKER_SERVER"] = Broker.Address.ToString(),
            ["XDG_CONFIG_HOME"] = Home,
            ["PATH"] = Programs,
        };

    public LoginTarget Target => new(Broker.Address, Issuer, "cli", Audience, ["openid"], null);

    public static async Task<LoginFixture> StartAsync()
    {
        var fixture = new LoginFixture { Broker = await StubBroker.StartAsync(), Idp = await StubBroker.StartAsync() };
        Directory.CreateDirectory(fixture.Programs);
        fixture.Broker.On(
            "GET /v1/login",
            new()
            {
                Issuers =
                [
                    new()
                    {
                        Issuer = fixture.Issuer,
                        ClientId = "cli",
                        Audience = Audience,
                        Scopes = ["openid"],
                    },
                ],
            },
            BrokerJson.Default.LoginResponse
        );
        fixture.Broker.On(
            "GET /v1/whoami",
            new() { TokenExpiresAt = CliFixture.Later, Person = new(fixture.Issuer, "ada", ["admin"], ["finance"]) },
            BrokerJson.Default.WhoamiResponse
        );
        fixture.Broker.On("GET /v1/holds", new() { Holds = [] }, BrokerJson.Default.HoldListResponse);
        fixture.Describe();
        fixture.Give(fixture.Token());
        return fixture;
    }

    /// <summary>What the issuer says of itself from now on; null leaves a member out.</summary>
    public void Describe(params (string Name, string? Value)[] changes)
    {
        var document = new Dictionary<string, string?>
        {
            ["issuer"] = Issuer,
            ["token_endpoint"] = $"{Issuer}/token",
            ["authorization_endpoint"] = $"{Issuer}/auth",
            ["device_authorization_endpoint"] = $"{Issuer}/device",
            ["revocation_endpoint"] = $"{Issuer}/revoke",
        };
        foreach (var (name, value) in changes)
        {
            document[name] = value;
        }

        Idp.On(
            "GET /.well-known/openid-configuration",
            http =>
                http.Response.WriteAsync(
                    JsonSerializer
                        .Serialize(document.Where(m => m.Value is not null).ToDictionary())
                        .Replace("\"true\"", "true", StringComparison.Ordinal)
                )
        );
    }

    /// <summary>A JWT that says so; nobody has signed it, since none here verifies.</summary>
    public string Token(
        string? issuer = null,
        string audience = Audience,
        long expires = 4_000_000_000,
        string subject = "ada"
    ) =>
        string.Join(
            '.',
            new[]
            {
                """{"alg":"none"}""",
                $$"""{"iss":"{{issuer ?? Issuer}}","aud":"{{audience}}","exp":{{expires}},"sub":"{{subject}}"}""",
                "x",
            }.Select(part => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part)))
        );

    /// <summary>The token endpoint gives this from now on.</summary>
    public void Give(string token, string? refresh = null) =>
        Idp.On(
            "POST /token",
            http =>
                http.Response.WriteAsync(
                    $$"""{"access_token":"{{token}}","token_type":"Bearer","expires_in":300{{(
                        refresh is null ? "" : $",\"refresh_token\":\"{refresh}\""
                    )}}}"""
                )
        );

    public void Answer(string call, int status, string body) =>
        Idp.On(
            call,
            http =>
            {
                http.Response.StatusCode = status;
                return http.Response.WriteAsync(body);
            }
        );

    /// <summary>Runs a command; where it shows an address, <see cref="Person"/> goes there.</summary>
    public async Task<CliRun> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var failed = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var environment = Environment;
        var terminal = new Terminal
        {
            Out = output,
            Error = TextWriter.Synchronized(error),
            In = Stream.Null,
            OpenOut = () => new MemoryStream(),
            OutIsTerminal = false,
            ErrorIsTerminal = false,
            Variable = name => environment.GetValueOrDefault(name),
            Time = Time,
            OpenBrowser = address => _ = GoAsync(address),
        };
        // Where the person fails, nobody comes back, and the command would wait for long.
        var code = await await Task.WhenAny(CommandLine.RunAsync(args, terminal), failed.Task);
        return new(code, output.ToString(), error.ToString());

        async Task GoAsync(Uri address)
        {
            try
            {
                await Task.Run(() => Person(address));
            }
            catch (Exception exception)
            {
                failed.TrySetException(exception);
            }
        }
    }

    /// <summary>A browser that comes straight back with a code, and with what <paramref name="change"/> makes of it.</summary>
    public static Func<Uri, Task> ComesBack(
        Func<Dictionary<string, string>, Dictionary<string, string>>? change = null
    ) =>
        async address =>
        {
            var asked = Query(address);
            var answer = new Dictionary<string, string> { ["code"] = "c-1", ["state"] = asked["state"] };
            answer = change?.Invoke(answer) ?? answer;
            await VisitAsync(asked["redirect_uri"], answer);
        };

    public static async Task<int> VisitAsync(string redirect, Dictionary<string, string> answer)
    {
        using var browser = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var page = await browser.GetAsync(
            new Uri($"{redirect}?{string.Join('&', answer.Select(p => $"{p.Key}={Uri.EscapeDataString(p.Value)}"))}")
        );
        return (int)page.StatusCode;
    }

    public static Dictionary<string, string> Query(Uri address) => Form(address.Query.TrimStart('?'));

    public static Dictionary<string, string> Form(string text) =>
        text.Split('&')
            .Select(pair => pair.Split('=', 2))
            .ToDictionary(
                pair => Uri.UnescapeDataString(pair[0]),
                pair => Uri.UnescapeDataString(pair[1].Replace('+', ' '))
            );

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        await Idp.DisposeAsync();
        Directory.Delete(Home, recursive: true);
    }
}
