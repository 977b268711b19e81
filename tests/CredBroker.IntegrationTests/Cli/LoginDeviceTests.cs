using CredBroker.Cli;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>Login by the device flow (RFC 8628).</summary>
public sealed class LoginDeviceTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly List<DateTimeOffset> _polls = [];
    private LoginFixture _login = null!;

    public async ValueTask InitializeAsync()
    {
        _login = await LoginFixture.StartAsync();
        _login.Time = _time;
        Begin("\"interval\":5");
    }

    public ValueTask DisposeAsync() => _login.DisposeAsync();

    [Fact]
    public async Task The_code_is_shown_and_asked_for_until_somebody_has_entered_it()
    {
        Answers("authorization_pending", "authorization_pending", null);
        var run = await RunAsync();
        Assert.Equal((0, ""), (run.ExitCode, run.ExitCode == 0 ? "" : run.Error));
        Assert.Contains("WDJB-MJHT", run.Error, StringComparison.Ordinal);
        Assert.Contains($"{_login.Issuer}/enter", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("device-secret", run.Out + run.Error, StringComparison.Ordinal);
        Assert.All(Waits(), wait => Assert.True(wait >= TimeSpan.FromSeconds(5), $"{wait}"));
        var sent = LoginFixture.Form(_login.Idp.Calls.Last(call => call.Call == "POST /token").Body);
        Assert.Equal(
            ("urn:ietf:params:oauth:grant-type:device_code", "device-secret", "cli"),
            (sent["grant_type"], sent["device_code"], sent["client_id"])
        );
    }

    [Fact]
    public async Task Slow_down_adds_five_seconds_for_good()
    {
        Answers("slow_down", "slow_down", "authorization_pending", null);
        Assert.Equal(0, (await RunAsync()).ExitCode);
        Assert.Equal(
            [true, true, true],
            Waits().Zip([10, 15, 15], (wait, least) => wait >= TimeSpan.FromSeconds(least))
        );
    }

    [Fact]
    public async Task Without_an_interval_it_is_five_seconds()
    {
        Begin("\"x\":1");
        Answers("authorization_pending", "authorization_pending", null);
        Assert.Equal(0, (await RunAsync()).ExitCode);
        Assert.All(Waits(), wait => Assert.True(wait >= TimeSpan.FromSeconds(5), $"{wait}"));
    }

    [Theory]
    [InlineData(503)]
    [InlineData(500)]
    [InlineData(429)]
    public async Task An_issuer_that_is_out_of_order_for_a_while_ends_nothing(int status)
    {
        Answers(Enumerable.Repeat(status, 3));
        var run = await RunAsync();
        Assert.True(run.ExitCode == 0, run.Error);

        // Each wait is longer than the one before by at least what slow_down asks for.
        Assert.Equal(
            [true, true, true],
            Waits().Zip([10, 20, 40], (wait, least) => wait >= TimeSpan.FromSeconds(least))
        );
    }

    [Fact]
    public async Task An_issuer_that_cannot_begin_a_login_now_is_not_told_as_one_that_refused_it()
    {
        _login.Answer("POST /device", 503, """{"error":"temporarily_unavailable"}""");
        var run = await RunAsync();
        Assert.Equal(ExitCodes.Unavailable, run.ExitCode);
        Assert.Contains("HTTP 503", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3_600)]
    [InlineData(2_147_483_647)]
    public async Task However_long_the_issuer_says_to_wait_it_is_asked_every_minute(int seconds)
    {
        Begin($"\"interval\":{seconds}");
        Answers("authorization_pending", "authorization_pending", null);
        var run = await RunAsync(step: 5);
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.All(Waits(), wait => Assert.InRange(wait, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(80)));
    }

    [Fact]
    public async Task Backing_off_never_shortens_the_wait()
    {
        Begin("\"interval\":60");
        Answers([.. Enumerable.Repeat((400, (string?)"slow_down"), 6), (503, ""), (503, ""), (200, null)]);
        Assert.Equal(0, (await RunAsync(step: 5)).ExitCode);
        Assert.All(Waits().Skip(5), wait => Assert.True(wait >= TimeSpan.FromSeconds(90), $"{wait}"));
    }

    [Fact]
    public async Task A_wait_ends_with_the_code()
    {
        _login.Answer(
            "POST /device",
            200,
            $$"""{"device_code":"d","user_code":"U","verification_uri":"{{_login.Issuer}}/enter","expires_in":12,"interval":50}"""
        );
        var began = _time.GetUtcNow();
        var run = await RunAsync();
        Assert.Equal(ExitCodes.Refused, run.ExitCode);
        Assert.Contains("ended", run.Error, StringComparison.Ordinal);
        Assert.InRange(_time.GetUtcNow() - began, TimeSpan.FromSeconds(12), TimeSpan.FromSeconds(40));
    }

    [Theory]
    [InlineData("access_denied", "refused")]
    [InlineData("expired_token", "ended")]
    [InlineData("invalid_client", "invalid_client")]
    public async Task A_refusal_ends_it(string error, string words)
    {
        Answers(error);
        var run = await RunAsync();
        Assert.Equal(ExitCodes.Refused, run.ExitCode);
        Assert.Contains(words, run.Error, StringComparison.Ordinal);
        Assert.Single(_polls);
    }

    [Fact]
    public async Task It_ends_with_its_code_whatever_the_issuer_says()
    {
        _login.Answer(
            "POST /device",
            200,
            $$"""{"device_code":"d","user_code":"U","verification_uri":"{{_login.Issuer}}/enter","expires_in":12,"interval":5}"""
        );
        Answers("authorization_pending");
        var run = await RunAsync();
        Assert.Equal(ExitCodes.Refused, run.ExitCode);
        Assert.Contains("ended", run.Error, StringComparison.Ordinal);
        Assert.InRange(_polls.Count, 1, 2);
    }

    [Theory]
    [InlineData("http://attacker.example/enter")]
    [InlineData("javascript:alert(1)")]
    [InlineData("not an address")]
    public async Task Nobody_is_sent_to_a_page_in_clear(string page)
    {
        _login.Answer(
            "POST /device",
            200,
            $$"""{"device_code":"d","user_code":"U","verification_uri":"{{page}}","expires_in":600}"""
        );
        var run = await RunAsync();
        Assert.Equal(ExitCodes.Failed, run.ExitCode);
        Assert.DoesNotContain(page, run.Error, StringComparison.Ordinal);
    }

    private void Begin(string more) =>
        _login.Answer(
            "POST /device",
            200,
            $$"""
            {"device_code":"device-secret","user_code":"WDJB-MJHT","verification_uri":"{{_login.Issuer}}/enter",
             "expires_in":86400,{{more}}}
            """
        );

    /// <summary>How the token endpoint answers, the last for ever; null is the token.</summary>
    private void Answers(params string?[] errors) =>
        Answers([.. errors.Select(error => (error is null ? 200 : 400, error))]);

    /// <summary>The token endpoint is out of order, and then gives the token.</summary>
    private void Answers(IEnumerable<int> statuses) =>
        Answers([.. statuses.Select(status => (status, (string?)"")), (200, null)]);

    private void Answers(params (int Status, string? Error)[] answers) =>
        _login.Idp.On(
            "POST /token",
            http =>
            {
                var (status, error) = answers[Math.Min(_polls.Count, answers.Length - 1)];
                _polls.Add(_time.GetUtcNow());
                http.Response.StatusCode = status;
                return http.Response.WriteAsync(
                    error is null
                        ? $$"""{"access_token":"{{_login.Token()}}","token_type":"Bearer"}"""
                        : $$"""{"error":"{{error}}"}"""
                );
            }
        );

    private IEnumerable<TimeSpan> Waits() => _polls.Zip(_polls.Skip(1), (one, next) => next - one);

    private async Task<CliRun> RunAsync(int step = 1)
    {
        var run = _login.RunAsync("login", "--device");
        await Eventually.BecomesTrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(step));
                return Task.FromResult(run.IsCompleted);
            },
            "the login's end"
        );
        return await run;
    }
}
