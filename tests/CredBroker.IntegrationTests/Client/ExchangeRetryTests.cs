using CredBroker.Client;
using CredBroker.IntegrationTests.Cli;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace CredBroker.IntegrationTests.Client;

/// <summary>
/// A retry that the caller puts under the client must not make the broker mint twice, whatever it is made of.
/// </summary>
public sealed class ExchangeRetryTests : IAsyncLifetime
{
    private StubBroker _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await StubBroker.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task An_exchange_without_an_idempotency_key_is_sent_once()
    {
        _broker.OnProblem("POST /v1/credentials", "CB4001", "Vault does not answer.", retryAfter: 1);
        using var http = Retrying();

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => ExchangeAsync(http, key: null));

        Assert.Contains("not sent twice", fault.Message, StringComparison.Ordinal);
        Assert.Equal(1, _broker.Calls.Count(call => call.Body.Length > 0));
    }

    [Fact]
    public async Task An_exchange_with_an_idempotency_key_is_retried()
    {
        _broker.OnProblem("POST /v1/credentials", "CB4001", "Vault does not answer.", retryAfter: 1);
        using var http = Retrying();

        var problem = await Assert.ThrowsAsync<BrokerProblemException>(() => ExchangeAsync(http, key: "run-17-1"));

        Assert.Equal("CB4001", problem.Code);
        Assert.Equal(3, _broker.Calls.Count(call => call.Body.Contains("run-17-1", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_broken_connection_does_not_make_it_be_sent_again()
    {
        _broker.On(
            "POST /v1/credentials",
            context =>
            {
                context.Abort();
                return Task.CompletedTask;
            }
        );
        using var http = Retrying();

        await Assert.ThrowsAsync<HttpRequestException>(() => ExchangeAsync(http, key: null));

        Assert.Equal(1, _broker.Calls.Count(call => call.Body.Length > 0));
    }

    [Fact]
    public async Task What_could_not_be_sent_at_all_may_be_tried_again()
    {
        CliFixture.Issue(_broker);
        using var http = Retrying(new FailsFirst { InnerHandler = Sockets() });

        Assert.Equal(CliFixture.LeaseId, (await ExchangeAsync(http, key: null)).LeaseId);
    }

    [Fact]
    public async Task A_redirect_takes_neither_the_exchange_nor_the_token_elsewhere()
    {
        await using var elsewhere = await StubBroker.StartAsync();
        CliFixture.Issue(elsewhere);
        _broker.On("POST /v1/credentials", context => RedirectAsync(context, elsewhere, 307));
        using var following = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = _broker.Address,
        };

        await Assert.ThrowsAsync<HttpRequestException>(() => ExchangeAsync(following, key: null));
        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => ExchangeAsync(following, key: "k"));

        Assert.Contains("led elsewhere", fault.Message, StringComparison.Ordinal);
        Assert.All(elsewhere.Calls, call => Assert.Equal("", call.Authorization));
        Assert.All(
            elsewhere.Calls.Where(call => call.Body.Length > 0),
            call => Assert.Contains("\"idempotencyKey\":\"k\"", call.Body, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_connection_of_our_own_follows_no_redirect()
    {
        await using var elsewhere = await StubBroker.StartAsync();
        _broker.On("POST /v1/credentials", context => RedirectAsync(context, elsewhere, 307));
        using var connection = new BrokerConnection(_broker.Address, TokenSource.From(_ => new("a.b.c")));

        var problem = await Assert.ThrowsAsync<BrokerProblemException>(() =>
            new AgentClient(connection).ExchangeAsync(Request("k")).AsTask()
        );

        Assert.Equal(307, problem.Status);
        Assert.Empty(elsewhere.Calls);
    }

    private HttpClient Retrying(HttpMessageHandler? inner = null) =>
        new(
            new ResilienceHandler(
                new ResiliencePipelineBuilder<HttpResponseMessage>()
                    .AddRetry(
                        new HttpRetryStrategyOptions
                        {
                            MaxRetryAttempts = 2,
                            Delay = TimeSpan.Zero,
                            ShouldRetryAfterHeader = false,
                        }
                    )
                    .Build()
            )
            {
                InnerHandler = inner ?? Sockets(),
            }
        )
        {
            BaseAddress = _broker.Address,
        };

    private static SocketsHttpHandler Sockets() => new() { UseProxy = false, AllowAutoRedirect = false };

    private static Task<ExchangeResponse> ExchangeAsync(HttpClient http, string? key) =>
        new AgentClient(new(http, TokenSource.From(_ => new("a.b.c")))).ExchangeAsync(Request(key)).AsTask();

    private static ExchangeRequest Request(string? key) =>
        new()
        {
            Task = CliFixture.Lease().Task,
            Credential = "billing-readonly",
            Actions = ["read"],
            IdempotencyKey = key,
        };

    private static Task RedirectAsync(HttpContext context, StubBroker to, int status)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Location = new Uri(to.Address, "v1/credentials").ToString();
        return Task.CompletedTask;
    }

    /// <summary>A connection that cannot be made, and then can.</summary>
    private sealed class FailsFirst : DelegatingHandler
    {
        private int _calls;

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        ) =>
            _calls++ == 0
                ? throw new HttpRequestException("No connection could be made.")
                : base.SendAsync(request, cancellationToken);
    }
}
