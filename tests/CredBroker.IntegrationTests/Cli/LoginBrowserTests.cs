using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Cli;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>Login by a browser, its attackers included.</summary>
public sealed class LoginBrowserTests : IAsyncLifetime
{
    private LoginFixture _login = null!;

    public async ValueTask InitializeAsync() => _login = await LoginFixture.StartAsync();

    public ValueTask DisposeAsync() => _login.DisposeAsync();

    [Fact]
    public async Task A_login_is_kept_and_used_by_the_other_commands()
    {
        _login.Person = LoginFixture.ComesBack();
        var login = await _login.RunAsync("login", "--browser");
        Assert.Equal((0, ""), (login.ExitCode, login.ExitCode == 0 ? "" : login.Error));
        Assert.Contains("ada", login.Out, StringComparison.Ordinal);
        Assert.Contains("admin", login.Out, StringComparison.Ordinal);
        Assert.Equal(0, (await _login.RunAsync("holds", "list")).ExitCode);
        Assert.Equal($"Bearer {_login.Token()}", _login.Broker.Calls.Last().Authorization);
        Assert.DoesNotContain(_login.Token(), login.Out + login.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_request_is_bound_by_S256_to_a_verifier_that_only_the_token_endpoint_sees()
    {
        Uri? shown = null;
        _login.Person = address =>
        {
            shown = address;
            return LoginFixture.ComesBack()(address);
        };
        Assert.Equal(0, (await _login.RunAsync("login", "--browser")).ExitCode);

        var asked = LoginFixture.Query(shown!);
        var sent = LoginFixture.Form(_login.Idp.Calls.Single(call => call.Call == "POST /token").Body);
        Assert.Equal(
            ("code", "S256", "cli", "openid"),
            (asked["response_type"], asked["code_challenge_method"], asked["client_id"], asked["scope"])
        );
        Assert.Equal(
            asked["code_challenge"],
            Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(sent["code_verifier"])))
        );
        Assert.Equal(("c-1", asked["redirect_uri"]), (sent["code"], sent["redirect_uri"]));
        Assert.Equal((43, 43), (sent["code_verifier"].Length, asked["state"].Length));
        var redirect = new Uri(asked["redirect_uri"]);
        Assert.Equal(("127.0.0.1", "/callback"), (redirect.Host, redirect.AbsolutePath));
    }

    [Fact]
    public async Task Each_login_has_a_state_a_verifier_and_a_port_of_its_own()
    {
        var asked = new List<Dictionary<string, string>>();
        _login.Person = address =>
        {
            asked.Add(LoginFixture.Query(address));
            return LoginFixture.ComesBack()(address);
        };
        await _login.RunAsync("login", "--browser");
        await _login.RunAsync("login", "--browser");
        Assert.All(["state", "code_challenge"], name => Assert.NotEqual(asked[0][name], asked[1][name]));
    }

    [Fact]
    public async Task A_wrong_state_changes_nothing_and_the_right_one_still_counts()
    {
        var refused = new List<int>();
        _login.Person = async address =>
        {
            var redirect = LoginFixture.Query(address)["redirect_uri"];
            foreach (
                var attack in new Dictionary<string, string>[]
                {
                    new() { ["code"] = "attackers", ["state"] = "guessed" },
                    new() { ["code"] = "attackers" },
                    new() { ["error"] = "access_denied", ["state"] = "guessed" },
                }
            )
            {
                refused.Add(await LoginFixture.VisitAsync(redirect, attack));
            }

            await LoginFixture.ComesBack()(address);
        };
        Assert.Equal(0, (await _login.RunAsync("login", "--browser")).ExitCode);
        Assert.Equal([400, 400, 400], refused);
        var sent = _login.Idp.Calls.Single(call => call.Call == "POST /token").Body;
        Assert.DoesNotContain("attackers", sent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/callback?code=a&code=b&state={0}")]
    [InlineData("/callback?state={0}&code=a&state={0}")]
    [InlineData("/other?code=a&state={0}")]
    [InlineData("/callback")]
    public async Task What_could_be_read_two_ways_is_no_answer(string path)
    {
        var status = 0;
        _login.Person = async address =>
        {
            var asked = LoginFixture.Query(address);
            using var browser = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            using var page = await browser.GetAsync(
                new Uri(
                    new Uri(asked["redirect_uri"]),
                    string.Format(System.Globalization.CultureInfo.InvariantCulture, path, asked["state"])
                )
            );
            status = (int)page.StatusCode;
            await LoginFixture.ComesBack()(address);
        };
        Assert.Equal(0, (await _login.RunAsync("login", "--browser")).ExitCode);
        Assert.Equal(400, status);
    }

    [Fact]
    public async Task Programs_that_say_nothing_or_too_much_do_not_keep_the_answer_out()
    {
        var silent = new List<TcpClient>();
        _login.Person = async address =>
        {
            var port = new Uri(LoginFixture.Query(address)["redirect_uri"]).Port;
            for (var i = 0; i < 8; i++)
            {
                var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                silent.Add(client);
            }

            await silent[0].GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET /" + new string('a', 15_000)));
            await LoginFixture.ComesBack()(address);
        };
        Assert.Equal(0, (await _login.RunAsync("login", "--browser")).ExitCode);
        silent.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task An_answer_of_another_issuer_is_refused_before_its_code_is_sent_anywhere()
    {
        _login.Person = LoginFixture.ComesBack(answer => new(answer) { ["iss"] = "https://attacker.example" });
        var run = await _login.RunAsync("login", "--browser");
        Assert.Equal(ExitCodes.Refused, run.ExitCode);
        Assert.Contains("another issuer", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(_login.Idp.Calls, call => call.Call == "POST /token");
    }

    [Fact]
    public async Task An_answer_without_iss_is_refused_where_the_issuer_always_says_it()
    {
        _login.Describe(("authorization_response_iss_parameter_supported", "true"));
        _login.Person = LoginFixture.ComesBack();
        Assert.Equal(ExitCodes.Refused, (await _login.RunAsync("login", "--browser")).ExitCode);
        Assert.DoesNotContain(_login.Idp.Calls, call => call.Call == "POST /token");

        _login.Person = LoginFixture.ComesBack(answer => new(answer) { ["iss"] = _login.Issuer });
        Assert.Equal(0, (await _login.RunAsync("login", "--browser")).ExitCode);
    }

    [Fact]
    public async Task A_refusal_at_the_issuer_is_told_and_harmless_to_the_terminal()
    {
        _login.Person = LoginFixture.ComesBack(answer =>
            new()
            {
                ["state"] = answer["state"],
                ["error"] = "access_denied",
                ["error_description"] = "no\u001b[31mway",
            }
        );
        var run = await _login.RunAsync("login", "--browser");
        Assert.Equal(ExitCodes.Refused, run.ExitCode);
        Assert.Contains("access_denied", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', run.Error);
    }

    [Theory]
    [InlineData("issuer", "https://attacker.example")]
    [InlineData("issuer", "")]
    [InlineData("token_endpoint", "http://attacker.example/token")]
    [InlineData("authorization_endpoint", "http://attacker.example/auth")]
    [InlineData("authorization_endpoint", "file:///etc/passwd")]
    [InlineData("authorization_endpoint", "https://user@attacker.example/auth")]
    [InlineData("token_endpoint", null)]
    public async Task A_discovery_document_that_is_not_the_issuers_own_or_leads_out_in_clear_is_refused(
        string member,
        string? value
    )
    {
        var opened = false;
        _login.Describe((member, value));
        _login.Person = _ =>
        {
            opened = true;
            return Task.CompletedTask;
        };
        Assert.Equal(ExitCodes.Failed, (await _login.RunAsync("login", "--browser")).ExitCode);
        Assert.False(opened);
    }

    [Theory]
    [InlineData("http://issuer.example")]
    [InlineData("ftp://issuer.example")]
    [InlineData("https://issuer.example?x=1")]
    [InlineData("javascript:alert(1)")]
    public async Task An_issuer_in_clear_that_is_not_on_this_machine_is_refused(string issuer)
    {
        var run = await _login.RunAsync("login", "--issuer", issuer, "--client-id", "x", "--audience", "y");
        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains("no issuer", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_endpoint_that_sends_elsewhere_is_not_followed()
    {
        _login.Idp.On(
            "POST /token",
            http =>
            {
                http.Response.StatusCode = 307;
                http.Response.Headers.Location = "/elsewhere";
                return Task.CompletedTask;
            }
        );
        _login.Person = LoginFixture.ComesBack();
        Assert.Equal(ExitCodes.Refused, (await _login.RunAsync("login", "--browser")).ExitCode);
        Assert.DoesNotContain(_login.Idp.Calls, call => call.Call.EndsWith("/elsewhere", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("GET /.well-known/openid-configuration")]
    [InlineData("POST /token")]
    public async Task A_huge_answer_is_refused(string call)
    {
        _login.Idp.On(
            call,
            async http =>
            {
                var part = new string(' ', 64 * 1024);
                for (var i = 0; i < 1000 && !http.RequestAborted.IsCancellationRequested; i++)
                {
                    await http.Response.WriteAsync(part, http.RequestAborted);
                }
            }
        );
        _login.Person = LoginFixture.ComesBack();
        Assert.Equal(ExitCodes.Unavailable, (await _login.RunAsync("login", "--browser")).ExitCode);
    }

    [Theory]
    [InlineData("https://other.example", LoginFixture.Audience, 4_000_000_000)]
    [InlineData(null, "another-audience", 4_000_000_000)]
    [InlineData(null, LoginFixture.Audience, 1_000_000)]
    public async Task A_token_of_another_issuer_for_another_audience_or_that_has_ended_is_not_taken(
        string? issuer,
        string audience,
        long expires
    )
    {
        _login.Give(_login.Token(issuer, audience, expires));
        _login.Person = LoginFixture.ComesBack();
        Assert.Equal(ExitCodes.Refused, (await _login.RunAsync("login", "--browser")).ExitCode);
        Assert.DoesNotContain(_login.Broker.Calls, call => call.Call == "GET /v1/whoami");
        Assert.False(Directory.Exists(_login.Folder) && Directory.EnumerateFiles(_login.Folder, "login-*").Any());
    }

    [Theory]
    [InlineData("""{"access_token":"TOKEN","token_type":"DPoP"}""")]
    [InlineData("""{"access_token":"TOKEN","access_token":"TOKEN","token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"TOKEN\n","token_type":"Bearer"}""")]
    [InlineData("""["TOKEN"]""")]
    [InlineData("""<html>""")]
    public async Task An_answer_that_is_no_bearer_token_is_refused_and_not_shown(string body)
    {
        _login.Answer("POST /token", 200, body.Replace("TOKEN", _login.Token(), StringComparison.Ordinal));
        _login.Person = LoginFixture.ComesBack();
        var run = await _login.RunAsync("login", "--browser");
        Assert.Equal(ExitCodes.Refused, run.ExitCode);
        Assert.DoesNotContain(_login.Token(), run.Out + run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_ID_token_serves_where_it_is_the_one_for_the_broker()
    {
        _login.Answer(
            "POST /token",
            200,
            $$"""{"access_token":"opaque","id_token":"{{_login.Token()}}","token_type":"bearer"}"""
        );
        _login.Person = LoginFixture.ComesBack();
        Assert.Equal(0, (await _login.RunAsync("login", "--browser")).ExitCode);
    }

    [Fact]
    public async Task What_the_broker_does_not_take_as_a_persons_is_not_kept()
    {
        _login.Broker.OnProblem("GET /v1/whoami", "CB1005", "no");
        _login.Person = LoginFixture.ComesBack();
        Assert.Equal(ExitCodes.Refused, (await _login.RunAsync("login", "--browser")).ExitCode);
        Assert.False(Directory.Exists(_login.Folder) && Directory.EnumerateFiles(_login.Folder, "login-*").Any());
    }
}
