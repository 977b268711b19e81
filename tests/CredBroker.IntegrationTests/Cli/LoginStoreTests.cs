using CredBroker.Cli;
using CredBroker.Cli.Login;
using CredBroker.Client;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>How a login is kept, renewed and forgotten.</summary>
public sealed class LoginStoreTests : IAsyncLifetime
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private LoginFixture _login = null!;

    public async ValueTask InitializeAsync()
    {
        _login = await LoginFixture.StartAsync();
        _login.Person = LoginFixture.ComesBack();
    }

    public ValueTask DisposeAsync() => _login.DisposeAsync();

    private string LoginFile => Directory.EnumerateFiles(_login.Folder, "login-*.json").Single();

    [Fact]
    public async Task A_login_is_the_users_own_file_in_a_folder_of_the_users_own()
    {
        await LogInAsync();
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(Owner, File.GetUnixFileMode(LoginFile));
            Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(_login.Folder));
        }
    }

    [Fact]
    public async Task A_login_is_sent_to_its_broker_alone()
    {
        await LogInAsync();
        await using var other = await StubBroker.StartAsync();
        var run = await _login.RunAsync("holds", "list", "--server", other.Address.ToString());
        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains("credbroker login", run.Error, StringComparison.Ordinal);

        // Nor where its file is put in the place of the other's.
        File.Copy(
            LoginFile,
            Path.Combine(
                _login.Folder,
                $"login-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(other.Address.AbsoluteUri)))[..32]}.json"
            )
        );
        Assert.Equal(
            ExitCodes.Usage,
            (await _login.RunAsync("holds", "list", "--server", other.Address.ToString())).ExitCode
        );
        Assert.Empty(other.Calls);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public async Task A_login_that_others_may_read_or_write_is_not_used(UnixFileMode mode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no modes");
        await LogInAsync();
        File.SetUnixFileMode(LoginFile, Owner | mode);
        Assert.Equal(ExitCodes.Usage, (await _login.RunAsync("holds", "list")).ExitCode);
        Assert.Equal(1, _login.Broker.Calls.Count(call => call.Authorization.Length > 0));
    }

    [Fact]
    public async Task A_folder_that_others_may_write_to_keeps_no_login()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no modes");
        Directory.CreateDirectory(_login.Folder);
        File.SetUnixFileMode(_login.Folder, (UnixFileMode)0b111_111_111);
        Assert.Equal(ExitCodes.Usage, (await _login.RunAsync("login", "--browser")).ExitCode);
        Assert.Empty(Directory.EnumerateFiles(_login.Folder, "login-*"));
    }

    [Fact]
    public async Task A_folder_that_is_a_link_keeps_no_login()
    {
        var elsewhere = Directory.CreateDirectory(Path.Combine(_login.Home, "elsewhere"));
        Directory.CreateSymbolicLink(_login.Folder, elsewhere.FullName);
        var run = await _login.RunAsync("login", "--browser");
        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains("link", run.Error, StringComparison.Ordinal);
        Assert.Empty(elsewhere.EnumerateFiles("login-*"));
    }

    [Fact]
    public async Task What_a_link_in_a_logins_place_leads_to_is_neither_written_nor_read()
    {
        await LogInAsync();
        var (path, victim) = (LoginFile, Path.Combine(_login.Home, "victim"));
        File.Move(path, victim);
        File.CreateSymbolicLink(path, victim);
        Assert.Equal(ExitCodes.Usage, (await _login.RunAsync("holds", "list")).ExitCode);

        var before = await File.ReadAllTextAsync(victim);
        await LogInAsync();
        Assert.Equal(before, await File.ReadAllTextAsync(victim));
        Assert.Null(new FileInfo(path).LinkTarget);
    }

    [Fact]
    public async Task A_file_that_is_no_login_says_to_log_in_again()
    {
        await LogInAsync();
        foreach (var text in new[] { "", "{}", "[]", "{\"login\":{}}", "{\"sealed\":\"AAAA\"}", "{\"sealed\":\"%\"}" })
        {
            await File.WriteAllTextAsync(LoginFile, text);
            var run = await _login.RunAsync("holds", "list");
            Assert.Equal(ExitCodes.Usage, run.ExitCode);
            Assert.Contains("credbroker login", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_token_that_ends_is_renewed_and_the_new_refresh_token_kept()
    {
        _login.Give(_login.Token(expires: Soon()), "refresh-1");
        await LogInAsync();
        var renewed = _login.Token(subject: "renewed");
        _login.Give(renewed, "refresh-2");
        Assert.Equal(0, (await _login.RunAsync("holds", "list")).ExitCode);
        Assert.Equal($"Bearer {renewed}", _login.Broker.Calls.Last().Authorization);
        var sent = LoginFixture.Form(_login.Idp.Calls.Last(call => call.Call == "POST /token").Body);
        Assert.Equal(
            ("refresh_token", "refresh-1", "cli"),
            (sent["grant_type"], sent["refresh_token"], sent["client_id"])
        );
        Assert.Equal("refresh-2", (await ReadAsync())!.Tokens.RefreshToken);
    }

    [Fact]
    public async Task Several_at_once_use_a_refresh_token_once()
    {
        _login.Give(_login.Token(expires: Soon()), "refresh-1");
        await LogInAsync();
        _login.Give(_login.Token(subject: "renewed"), "refresh-2");
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _login.RunAsync("holds", "list")));
        Assert.All(runs, run => Assert.Equal(0, run.ExitCode));
        Assert.Single(
            _login.Idp.Calls,
            call => call.Body.Contains("grant_type=refresh_token", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_login_that_has_ended_says_how_to_log_in()
    {
        _login.Give(_login.Token(expires: Soon()), "refresh-1");
        await LogInAsync();
        _login.Answer("POST /token", 400, """{"error":"invalid_grant"}""");
        var run = await _login.RunAsync("holds", "list");
        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains("credbroker login", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(_login.Broker.Calls, call => call.Call == "GET /v1/holds");
    }

    [Fact]
    public async Task A_renewed_token_of_another_audience_is_not_sent_to_the_broker()
    {
        _login.Give(_login.Token(expires: Soon()), "refresh-1");
        await LogInAsync();
        _login.Give(_login.Token(audience: "elsewhere"), "refresh-2");
        Assert.Equal(ExitCodes.Refused, (await _login.RunAsync("holds", "list")).ExitCode);
        Assert.DoesNotContain(_login.Broker.Calls, call => call.Call == "GET /v1/holds");
    }

    [Fact]
    public async Task A_new_refresh_token_is_kept_where_the_token_beside_it_cannot_be_used()
    {
        _login.Give(_login.Token(expires: Soon()), "refresh-1");
        await LogInAsync();
        _login.Give(_login.Token(audience: "elsewhere"), "refresh-2");
        Assert.Equal(ExitCodes.Refused, (await _login.RunAsync("holds", "list")).ExitCode);
        Assert.Equal("refresh-2", (await ReadAsync())!.Tokens.RefreshToken);

        // So that the login goes on, once the issuer's registration is put right.
        _login.Give(_login.Token(), "refresh-3");
        Assert.Equal(0, (await _login.RunAsync("holds", "list")).ExitCode);
        Assert.Equal("refresh-3", (await ReadAsync())!.Tokens.RefreshToken);
    }

    [Theory]
    [InlineData("\u0001")]
    [InlineData("")]
    public async Task A_new_refresh_token_that_is_none_takes_the_place_of_no_other(string refresh)
    {
        _login.Give(_login.Token(expires: Soon()), "refresh-1");
        await LogInAsync();
        _login.Give(
            _login.Token(audience: "elsewhere"),
            refresh.Replace("\u0001", "\\u0001", StringComparison.Ordinal)
        );
        Assert.Equal(ExitCodes.Refused, (await _login.RunAsync("holds", "list")).ExitCode);
        Assert.Equal("refresh-1", (await ReadAsync())!.Tokens.RefreshToken);
    }

    [Theory]
    [InlineData("POST /token", 503)]
    [InlineData("POST /token", 429)]
    [InlineData("GET /.well-known/openid-configuration", 502)]
    public async Task An_issuer_that_is_out_of_order_for_a_while_has_refused_nothing(string call, int status)
    {
        _login.Give(_login.Token(expires: Soon()), "refresh-1");
        await LogInAsync();
        _login.Answer(call, status, """{"error":"invalid_grant"}""");
        var run = await _login.RunAsync("holds", "list");
        Assert.Equal(ExitCodes.Unavailable, run.ExitCode);
        Assert.Contains($"HTTP {status}", run.Error, StringComparison.Ordinal);
        Assert.Contains("Try again", run.Error, StringComparison.Ordinal);
        Assert.Equal("refresh-1", (await ReadAsync())!.Tokens.RefreshToken);
    }

    [Fact]
    public async Task What_a_next_token_could_be_had_with_is_revoked_first()
    {
        _login.Give(_login.Token(), "refresh-1");
        _login.Idp.On(
            "POST /revoke",
            http =>
            {
                var isFirst = _login.Idp.Calls.Count(call => call.Call == "POST /revoke") == 1;
                http.Response.StatusCode = isFirst ? 200 : 503;
                return Task.CompletedTask;
            }
        );
        await LogInAsync();

        // The access token's answer says nothing of the login: many issuers revoke none.
        Assert.Equal(0, (await _login.RunAsync("logout")).ExitCode);
        Assert.Equal(
            ["refresh_token", "access_token"],
            _login
                .Idp.Calls.Where(call => call.Call == "POST /revoke")
                .Select(call => LoginFixture.Form(call.Body)["token_type_hint"])
        );
    }

    [Fact]
    public async Task Logout_forgets_the_login_and_has_the_issuer_revoke_it()
    {
        _login.Give(_login.Token(), "refresh-1");
        _login.Answer("POST /revoke", 200, "");
        await LogInAsync();
        var run = await _login.RunAsync("logout");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("until", run.Error, StringComparison.Ordinal);
        Assert.Contains(
            _login.Idp.Calls,
            call =>
                call.Call == "POST /revoke"
                && call.Body.Contains("token=refresh-1&token_type_hint=refresh_token", StringComparison.Ordinal)
        );
        Assert.Empty(Directory.EnumerateFiles(_login.Folder, "login-*"));
        Assert.Equal(ExitCodes.Usage, (await _login.RunAsync("holds", "list")).ExitCode);
        Assert.Equal(0, (await _login.RunAsync("logout")).ExitCode);
    }

    [Fact]
    public async Task Who_is_neither_logged_in_nor_a_workload_is_told_to_log_in()
    {
        var run = await _login.RunAsync("whoami");
        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains("Next: Run \"credbroker login\"", run.Error, StringComparison.Ordinal);
        Assert.Contains("--token-file", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_looks_at_the_login()
    {
        Healthy();
        Assert.Contains("credbroker login", (await _login.RunAsync("doctor")).Error, StringComparison.Ordinal);

        await LogInAsync();
        var run = await _login.RunAsync("doctor");
        Assert.Equal((0, "All is well.\n"), (run.ExitCode, run.Error));
        Assert.Contains("your login at", run.Out, StringComparison.Ordinal);
        Assert.Contains("as a person's with a role", run.Out, StringComparison.Ordinal);
        Assert.Contains(
            _login.Broker.Calls,
            call => call.Call == "GET /v1/leases" && call.Authorization == $"Bearer {_login.Token()}"
        );
    }

    [Fact]
    public async Task Doctor_reports_a_login_that_cannot_be_used()
    {
        Healthy();
        await LogInAsync();
        await File.WriteAllTextAsync(LoginFile, "{}");
        var run = await _login.RunAsync("doctor");
        Assert.Equal(ExitCodes.FaultsFound, run.ExitCode);
        Assert.Contains("First failing check: token: The login in", run.Error, StringComparison.Ordinal);
        Assert.Contains("Cure: Log in again: \"credbroker login\".", run.Error, StringComparison.Ordinal);
        Assert.Matches("server +ok", run.Out);
    }

    [Theory]
    [InlineData(503)]
    [InlineData(400)]
    public async Task Logout_says_where_the_issuer_has_not_revoked_it_and_forgets_it_all_the_same(int status)
    {
        _login.Give(_login.Token(), "refresh-1");
        _login.Answer("POST /revoke", status, """{"error":"unsupported_token_type"}""");
        await LogInAsync();
        var run = await _login.RunAsync("logout");
        Assert.Equal(ExitCodes.Unavailable, run.ExitCode);
        Assert.Contains("not revoked", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_login.Folder, "login-*"));
    }

    [Fact]
    public async Task With_a_keychain_the_file_holds_no_token_and_the_key_is_on_no_command_line()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "secret-tool is Linux's");
        MakeSecretTool();
        await LogInAsync();
        Assert.Equal(0, (await _login.RunAsync("holds", "list")).ExitCode);
        var file = await File.ReadAllTextAsync(LoginFile);
        Assert.DoesNotContain("eyJ", file, StringComparison.Ordinal);
        Assert.DoesNotContain(_login.Issuer, file, StringComparison.Ordinal);
        var key = await File.ReadAllTextAsync(Directory.EnumerateFiles(_login.Programs, "key-*").Single());
        Assert.Equal(32, Convert.FromBase64String(key).Length);
        Assert.DoesNotContain(
            key,
            await File.ReadAllTextAsync(Path.Combine(_login.Programs, "arguments")),
            StringComparison.Ordinal
        );

        // One bit elsewhere, and it opens no more.
        await File.WriteAllTextAsync(LoginFile, Changed(file));
        Assert.Equal(ExitCodes.Usage, (await _login.RunAsync("holds", "list")).ExitCode);
        Assert.Equal(ExitCodes.Unavailable, (await _login.RunAsync("logout")).ExitCode);
        Assert.Empty(Directory.EnumerateFiles(_login.Programs, "key-*"));
    }

    [Fact]
    public async Task A_keychain_that_takes_nothing_leaves_the_file_and_says_so()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "secret-tool is Linux's");
        MakeSecretTool("echo 'no daemon' >&2; exit 1");
        var run = await LogInAsync();
        Assert.Contains("no daemon", run.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await _login.RunAsync("holds", "list")).ExitCode);
    }

    private async Task<CliRun> LogInAsync()
    {
        var run = await _login.RunAsync("login", "--browser");
        Assert.True(run.ExitCode == 0, run.Error);
        return run;
    }

    /// <summary>The broker is well, and takes the token as a person's.</summary>
    private void Healthy()
    {
        foreach (var probe in new[] { "live", "ready", "issuing" })
        {
            _login.Broker.On(
                $"GET /health/{probe}",
                new() { Status = "ok", Parts = [] },
                BrokerJson.Default.HealthResponse
            );
        }

        _login
            .Broker.OnProblem("GET /v1/credentials/00000000000000000000000000000000", "CB1017", "A person's token.")
            .On("GET /v1/leases", new() { Leases = [] }, BrokerJson.Default.LeaseListResponse);
    }

    private Task<StoredLogin?> ReadAsync() =>
        new LoginStore(
            new()
            {
                Out = TextWriter.Null,
                Error = TextWriter.Null,
                In = Stream.Null,
                OpenOut = () => Stream.Null,
                OutIsTerminal = false,
                ErrorIsTerminal = false,
                Variable = name => _login.Environment.GetValueOrDefault(name),
                Time = TimeProvider.System,
            }
        ).ReadAsync(_login.Broker.Address, TestContext.Current.CancellationToken);

    /// <summary>Within the last half minute, so that it is renewed before it is used.</summary>
    private static long Soon() => TimeProvider.System.GetUtcNow().AddSeconds(25).ToUnixTimeSeconds();

    private static string Changed(string file)
    {
        var at = file.Length / 2;
        return file[..at] + (file[at] == 'A' ? 'B' : 'A') + file[(at + 1)..];
    }

    /// <summary>A stand-in for libsecret's program, with its manners: the secret comes and goes by standard streams.</summary>
    private void MakeSecretTool(string? body = null)
    {
        var path = Path.Combine(_login.Programs, "secret-tool");
        File.WriteAllText(
            path,
            $"""
            #!/bin/sh
            here='{_login.Programs}'
            echo "$*" >> "$here/arguments"
            {body
                ?? """
                case "$1" in
                  store) /bin/cat > "$here/key-$6" ;;
                  lookup) [ -f "$here/key-$5" ] || exit 1; /bin/cat "$here/key-$5" ;;
                  clear) /bin/rm -f "$here/key-$5" ;;
                esac
                """}
            """
        );
        File.SetUnixFileMode(path, Owner | UnixFileMode.UserExecute);
    }
}
