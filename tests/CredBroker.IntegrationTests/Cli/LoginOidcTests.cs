using System.Text.RegularExpressions;
using CredBroker.Cli;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Identity;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>Logins at a certified OpenID provider (npm <c>oidc-provider</c>), taken by the real broker.</summary>
public sealed partial class LoginOidcTests : IAsyncLifetime
{
    private readonly string _home = Directory.CreateTempSubdirectory("credbroker-login-").FullName;
    private OidcProcess? _provider;
    private TestBroker? _broker;

    public async ValueTask InitializeAsync()
    {
        _provider = await OidcProcess.StartAsync("people.js", new Dictionary<string, string>());
        _broker = await TestBroker.StartAsync(
            new Dictionary<string, string?>
            {
                ["Identity:Issuers:1:Issuer"] = _provider.Issuer,
                ["Identity:Issuers:1:Jwks:File"] = "",
                ["Identity:Issuers:1:GroupsClaim"] = "groups",
                ["Identity:Issuers:1:Login:ClientId"] = "credbroker-cli",
                ["Identity:Issuers:1:Login:Scopes:0"] = "openid",
                ["Identity:Issuers:1:Login:Scopes:1"] = "offline_access",
                ["Identity:Issuers:1:Login:Resource"] = "urn:credbroker-admin",
            },
            devMode: true
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }

        if (_provider is not null)
        {
            await _provider.DisposeAsync();
        }

        Directory.Delete(_home, recursive: true);
    }

    [Fact]
    public async Task A_person_logs_in_by_browser_acts_and_logs_out()
    {
        var login = await RunAsync("ada", "login", "--browser");
        Assert.True(login.ExitCode == 0, login.Error);
        Assert.Matches("roles +admin", login.Out);
        Assert.Matches("groups +finance", login.Out);

        var whoami = await RunAsync("ada", "whoami");
        Assert.True(whoami.ExitCode == 0, whoami.Error);
        Assert.Matches("subject +ada", whoami.Out);
        var holds = await RunAsync("ada", "holds", "list");
        Assert.True(holds.ExitCode == 0, holds.Error);

        var logout = await RunAsync("ada", "logout");
        Assert.True(logout.ExitCode == 0, logout.Error);
        Assert.Equal(ExitCodes.Usage, (await RunAsync("ada", "holds", "list")).ExitCode);
    }

    [Fact]
    public async Task A_person_logs_in_by_device_code()
    {
        var login = await RunAsync("ada", "login", "--device");
        Assert.True(login.ExitCode == 0, login.Error);
        Assert.Matches("subject +ada", login.Out);
    }

    [Fact]
    public async Task Who_has_no_role_is_told_who_they_are_and_may_nothing()
    {
        var login = await RunAsync("grace", "login", "--browser");
        Assert.True(login.ExitCode == 0, login.Error);
        Assert.Matches("roles +none", login.Out);
        Assert.Equal(ExitCodes.Refused, (await RunAsync("grace", "holds", "list")).ExitCode);
    }

    /// <summary>Runs a command; the person opens what it shows.</summary>
    private async Task<CliRun> RunAsync(string person, params string[] args)
    {
        using var browser = new PersonAtBrowser(person);
        using var output = new StringWriter();
        using var error = new StringWriter();
        var both = TextWriter.Synchronized(error);
        var failed = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var terminal = new Terminal
        {
            Out = output,
            Error = both,
            In = Stream.Null,
            OpenOut = () => new MemoryStream(),
            OutIsTerminal = false,
            ErrorIsTerminal = false,
            Variable = name =>
                name switch
                {
                    "CREDBROKER_SERVER" => _broker!.Http.BaseAddress!.ToString(),
                    "XDG_CONFIG_HOME" => _home,
                    "PATH" => _home,
                    _ => null,
                },
            Time = TimeProvider.System,
            OpenBrowser = address => _ = GoAsync(address),
        };
        var run = CommandLine.RunAsync(args, terminal);
        if (args.Contains("--device"))
        {
            await Eventually.BecomesTrueAsync(
                () => Task.FromResult(run.IsCompleted || Complete().IsMatch(Text(both, error))),
                "the device code"
            );
            if (!run.IsCompleted)
            {
                await browser.VisitAsync(new(Complete().Match(Text(both, error)).Groups[1].Value));
            }
        }

        var code = await await Task.WhenAny(run, failed.Task);
        return new(code, output.ToString(), Text(both, error));

        async Task GoAsync(Uri address)
        {
            try
            {
                await Task.Run(() => browser.VisitAsync(address));
            }
            catch (Exception exception)
            {
                failed.TrySetException(exception);
            }
        }
    }

    private static string Text(TextWriter both, StringWriter error)
    {
        // What the writers around it lock by.
        lock (both)
        {
            return error.ToString();
        }
    }

    [GeneratedRegex(@"or open (\S+) and compare")]
    private static partial Regex Complete();
}
