using CredBroker.Client;
using CredBroker.IntegrationTests.Cli;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Client;

/// <summary>GitHub's OIDC endpoint, played by a server on loopback.</summary>
public sealed class GitHubTokenTests : IAsyncLifetime
{
    private StubBroker _github = null!;

    public async ValueTask InitializeAsync() => _github = await StubBroker.StartAsync();

    public ValueTask DisposeAsync() => _github.DisposeAsync();

    [Fact]
    public async Task The_token_is_asked_for_with_the_audience_each_time()
    {
        Answers("""{"value":"a.b.c"}""");
        var source = Source();

        Assert.Equal("a.b.c", await source.ReadAsync(default));
        await source.ReadAsync(default);

        Assert.All(
            _github.Calls,
            call =>
                Assert.Equal(
                    ("?api-version=2.0&audience=https%3A%2F%2Fbroker.example", "Bearer job-token"),
                    (call.Query, call.Authorization)
                )
        );
        Assert.Equal(2, _github.Calls.Count);
    }

    [Theory]
    [InlineData(200, """{"value":"hunter2 hunter3"}""", false)]
    [InlineData(200, """{"value":17}""", true)]
    [InlineData(200, """["hunter2"]""", true)]
    [InlineData(200, "hunter2", true)]
    [InlineData(500, """{"value":"hunter2"}""", true)]
    public async Task An_answer_without_a_token_is_told_and_not_quoted(int status, string body, bool isTransient)
    {
        Answers(body, status);

        var fault = await Assert.ThrowsAsync<TokenSourceException>(() => Source().ReadAsync(default).AsTask());

        Assert.Equal(isTransient, fault.IsTransient);
        Assert.DoesNotContain("hunter", fault.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("job-token", fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redirect_does_not_take_the_jobs_token_elsewhere()
    {
        await using var elsewhere = await StubBroker.StartAsync();
        _github.On(
            "GET /token",
            context =>
            {
                context.Response.Redirect(elsewhere.Address.ToString());
                return Task.CompletedTask;
            }
        );

        await Assert.ThrowsAsync<TokenSourceException>(() => Source().ReadAsync(default).AsTask());

        Assert.Empty(elsewhere.Calls);
    }

    [Fact]
    public async Task An_endpoint_that_cannot_be_reached_may_be_tried_again()
    {
        var source = Source();
        await _github.DisposeAsync();

        var fault = await Assert.ThrowsAsync<TokenSourceException>(() => source.ReadAsync(default).AsTask());

        Assert.True(fault.IsTransient);
    }

    private ITokenSource Source()
    {
        var environment = new Dictionary<string, string>
        {
            ["ACTIONS_ID_TOKEN_REQUEST_URL"] = new Uri(_github.Address, "token?api-version=2.0").ToString(),
            ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "job-token",
        };
        return TokenSource.GitHubActions("https://broker.example", name => environment.GetValueOrDefault(name));
    }

    private void Answers(string body, int status = 200) =>
        _github.On(
            "GET /token",
            context =>
            {
                context.Response.StatusCode = status;
                return context.Response.WriteAsync(body);
            }
        );
}
