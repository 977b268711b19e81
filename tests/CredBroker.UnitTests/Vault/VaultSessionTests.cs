using System.Text.Json.Nodes;
using CredBroker.Core.Requests;
using CredBroker.Testing.Processes;
using CredBroker.Vault;
using CredBroker.Vault.Http;
using CredBroker.Vault.Session;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Vault;

public sealed class VaultSessionTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly string _tokenFile = Path.GetTempFileName();
    private readonly HashSet<string> _alive = ["first"];
    private int _ttl = 3600;
    private int _renewedTo = 3600;
    private ScriptedVault? _vault;

    private ScriptedVault Vault => _vault!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_tokenFile, "first\n");
        _vault = await ScriptedVault.StartAsync(AnswerAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await Vault.DisposeAsync();
        File.Delete(_tokenFile);
    }

    [Fact]
    public async Task The_first_call_logs_in_and_the_next_does_not()
    {
        using var harness = new Harness(this);

        Assert.IsType<VaultReply.Done>(await harness.CallAsync());
        Assert.IsType<VaultReply.Done>(await harness.CallAsync());

        Assert.Equal(["GET auth/token/lookup-self", "POST some/path", "POST some/path"], Vault.Requests);
    }

    [Fact]
    public async Task Without_its_token_file_it_says_so_asks_nobody_and_goes_on_once_the_file_is_there()
    {
        using var harness = new Harness(this);
        File.Delete(_tokenFile);

        var reply = Assert.IsType<VaultReply.NoLogin>(await harness.CallAsync());

        Assert.Equal($"The broker has nothing to log in to Vault with: {_tokenFile} does not exist.", reply.Why);
        var refusal = VaultRefusals.For(reply);
        Assert.Equal(RefusalCode.NoVaultLogin, refusal.Code);
        Assert.DoesNotContain(_tokenFile, refusal.Detail, StringComparison.Ordinal);
        Assert.True(VaultRefusals.SaysNothingWasMade(reply));
        Assert.Empty(Vault.Requests);

        await File.WriteAllTextAsync(_tokenFile, "first");
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.IsType<VaultReply.Done>(await harness.CallAsync());
    }

    [Fact]
    public async Task Many_first_calls_log_in_once()
    {
        using var harness = new Harness(this);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => harness.CallAsync()));

        Assert.Single(Vault.Requests, request => request.EndsWith("lookup-self", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_token_is_renewed_when_half_of_its_life_is_over()
    {
        using var harness = new Harness(this);
        await harness.Session.RefreshAsync(default);
        _time.Advance(TimeSpan.FromMinutes(29));
        await harness.Session.RefreshAsync(default);
        Assert.DoesNotContain("POST auth/token/renew-self", Vault.Requests);

        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(await harness.Session.RefreshAsync(default));

        Assert.Single(Vault.Requests, "POST auth/token/renew-self");
        Assert.Equal(_time.GetUtcNow().AddHours(1), harness.Session.Current!.EndsAt);
    }

    [Fact]
    public async Task A_token_whose_whole_life_is_nearly_over_is_replaced_by_a_login()
    {
        using var harness = new Harness(this);
        await harness.Session.RefreshAsync(default);
        _time.Advance(TimeSpan.FromMinutes(50));
        _renewedTo = 600;
        _ttl = 3000;

        Assert.Null(await harness.Session.RefreshAsync(default));

        Assert.Equal(2, Vault.Requests.Count(request => request.EndsWith("lookup-self", StringComparison.Ordinal)));
        Assert.Equal(_time.GetUtcNow().AddSeconds(3000), harness.Session.Current!.EndsAt);
    }

    [Fact]
    public async Task A_changed_token_file_is_read_anew()
    {
        using var harness = new Harness(this);
        await harness.Session.RefreshAsync(default);
        _alive.Add("second");
        await File.WriteAllTextAsync(_tokenFile, "second");
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Null(await harness.Session.RefreshAsync(default));

        Assert.Equal("second", harness.Session.Current!.Token.Reveal());
    }

    [Fact]
    public async Task A_dead_token_is_replaced_and_the_refused_call_sent_once_more()
    {
        using var harness = new Harness(this);
        await harness.CallAsync();
        _alive.Clear();
        _alive.Add("second");
        await File.WriteAllTextAsync(_tokenFile, "second");
        _time.Advance(TimeSpan.FromMinutes(1));

        var replies = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => harness.CallAsync()));

        Assert.All(replies, reply => Assert.IsType<VaultReply.Done>(reply));
    }

    [Fact]
    public async Task A_plain_forbidden_is_looked_into_once_in_a_while_and_not_repeated()
    {
        using var harness = new Harness(this);
        await harness.CallAsync();
        _time.Advance(TimeSpan.FromMinutes(1));

        for (var call = 0; call < 5; call++)
        {
            Assert.IsType<VaultReply.Declined>(await harness.CallAsync("forbidden"));
        }

        Assert.Equal(5, Vault.Requests.Count(request => request.EndsWith("forbidden", StringComparison.Ordinal)));
        Assert.Equal(2, Vault.Requests.Count(request => request.EndsWith("lookup-self", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_failed_login_is_not_tried_again_at_once()
    {
        _alive.Clear();
        using var harness = new Harness(this);

        for (var call = 0; call < 5; call++)
        {
            Assert.IsType<VaultReply.Declined>(await harness.CallAsync());
        }

        Assert.Single(Vault.Requests);
        _alive.Add("first");
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.IsType<VaultReply.Done>(await harness.CallAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("two\nlines")]
    [InlineData("ünicode")]
    public async Task A_token_file_that_holds_no_token_is_named_and_its_content_is_not(string content)
    {
        await File.WriteAllTextAsync(_tokenFile, content);
        using var harness = new Harness(this);

        var failed = Assert.IsType<VaultReply.NoLogin>(await harness.CallAsync());

        Assert.Contains(_tokenFile, failed.Reason);
        Assert.DoesNotContain("lines", failed.Reason);
        Assert.Empty(Vault.Requests);
    }

    [Fact]
    public async Task A_token_that_would_end_too_soon_is_renewed_before_it_is_relied_on()
    {
        _ttl = 60;
        using var harness = new Harness(this);
        await harness.Session.RefreshAsync(default);
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Null(await harness.Session.EnsureUntilAsync(_time.GetUtcNow().AddMinutes(30), default));
        Assert.Equal(
            RefusalCode.IssuingPaused,
            (await harness.Session.EnsureUntilAsync(_time.GetUtcNow().AddMinutes(90), default))?.Code
        );
    }

    [Fact]
    public async Task A_first_issuance_logs_in_and_holds_the_token_to_its_life()
    {
        _ttl = 60;
        _renewedTo = 60;
        using var harness = new Harness(this);

        Assert.Equal(
            RefusalCode.IssuingPaused,
            (await harness.Session.EnsureUntilAsync(_time.GetUtcNow().AddMinutes(5), default))?.Code
        );
        _alive.Clear();
        using var another = new Harness(this);
        Assert.Equal(
            RefusalCode.VaultForbids,
            (await another.Session.EnsureUntilAsync(_time.GetUtcNow(), default))?.Code
        );
    }

    [Fact]
    public async Task A_token_that_never_ends_always_lasts()
    {
        _ttl = 0;
        using var harness = new Harness(this);
        await harness.Session.RefreshAsync(default);

        Assert.Null(await harness.Session.EnsureUntilAsync(_time.GetUtcNow().AddYears(10), default));
        Assert.Null(await harness.Session.RefreshAsync(default));
        Assert.Single(Vault.Requests);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (
            !_alive.Contains(context.Request.Headers["X-Vault-Token"].ToString())
            || context.Request.Path.Value!.EndsWith("forbidden", StringComparison.Ordinal)
        )
        {
            context.Response.StatusCode = 403;
            await context.Response.WriteAsync("""{"errors":["permission denied"]}""");
            return;
        }

        JsonNode body = context.Request.Path.Value switch
        {
            "/v1/auth/token/lookup-self" => new JsonObject
            {
                ["data"] = new JsonObject
                {
                    ["ttl"] = _ttl,
                    ["creation_ttl"] = _ttl,
                    ["renewable"] = true,
                    ["policies"] = new JsonArray("cb-test-broker"),
                },
            },
            "/v1/auth/token/renew-self" => new JsonObject
            {
                ["auth"] = new JsonObject { ["lease_duration"] = _renewedTo, ["renewable"] = true },
            },
            _ => new JsonObject(),
        };
        await ScriptedVault.Answer(body.ToJsonString())(context);
    }

    private sealed class Harness : IDisposable
    {
        private readonly VaultTransport _transport;
        private readonly VaultClient _client;

        public Harness(VaultSessionTests test)
        {
            var options = test.Vault.Options(test._tokenFile);
            _transport = new(options, TimeProvider.System);
            _client = new(_transport, TimeProvider.System, NullLogger.Instance);
            Session = new(_client, options, test._time, NullLogger.Instance);
        }

        public VaultSession Session { get; }

        public Task<VaultReply> CallAsync(string path = "some/path") =>
            Session
                .SendAsync(new(HttpMethod.Post, path) { Timeout = Patience.Limit }, _client.OnceAsync, default)
                .AsTask();

        public void Dispose()
        {
            Session.Dispose();
            _transport.Dispose();
        }
    }
}
