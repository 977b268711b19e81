using System.Net;
using System.Text;
using CredBroker.Cli;
using CredBroker.Client;
using CredBroker.IntegrationTests.Cli;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Client;

/// <summary>A server that answers without end, or too much: the client ends by itself, with words.</summary>
public sealed class AnswerBoundsTests : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private StubBroker _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await StubBroker.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    public static TheoryData<string, int> Calls =>
        new()
        {
            { "GET /health/ready", 200 },
            { "GET /v1/login", 200 },
            { "GET /v1/whoami", 200 },
            { "POST /v1/credentials", 201 },
            { "GET /v1/login", 503 },
            { "GET /v1/whoami", 403 },
        };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_body_that_does_not_end_ends_the_call_in_its_time(string call, int status)
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _broker.On(
            call,
            async http =>
            {
                http.Response.StatusCode = status;
                http.Response.ContentType = "application/json";
                await http.Response.WriteAsync("{\"title\":", http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
                await using var closed = http.RequestAborted.Register(gone.SetResult);
                await gone.Task;
            }
        );

        var fault = await Assert.ThrowsAsync<TaskCanceledException>(() => CallAsync(call, TimeSpan.FromSeconds(2)));

        Assert.IsType<TimeoutException>(fault.InnerException);
        Assert.True(Failures(fault));
        await gone.Task.WaitAsync(Long, TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_body_that_is_too_large_is_not_read_to_its_end(string call, int status)
    {
        AnswerWithoutEnd(call, status);

        var refused = await Assert.ThrowsAsync<BrokerProblemException>(() => CallAsync(call, Long));

        Assert.Equal((status, (string?)null), (refused.Status, refused.Code));
        Assert.Contains(
            status < 300 ? "larger than 32 MiB" : "no problem document",
            refused.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_body_below_the_bound_is_read_whatever_its_length()
    {
        _broker.On(
            "GET /v1/login",
            async http =>
            {
                await http.Response.WriteAsync(new string(' ', 8 << 20));
                await http.Response.WriteAsync("""{"issuers":[]}""");
            }
        );
        using var connection = Connect(Long);
        Assert.Empty((await connection.GetLoginAsync(TestContext.Current.CancellationToken)).Issuers);
    }

    [Fact]
    public async Task A_command_says_so_in_words()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("GET /v1/whoami", WithoutEndAsync);

        var run = await cli.RunAsync("whoami").WaitAsync(Long, TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Failed, run.ExitCode);
        Assert.StartsWith("credbroker: HTTP 200: Answer too large", run.Error, StringComparison.Ordinal);
    }

    private static bool Failures(Exception exception) => CredBroker.Cli.Output.Failures.IsExpected(exception, default);

    private void AnswerWithoutEnd(string call, int status) =>
        _broker.On(
            call,
            http =>
            {
                http.Response.StatusCode = status;
                http.Response.ContentType = "application/json";
                return WithoutEndAsync(http);
            }
        );

    // Blanks before a value are JSON: no reader would stop at them.
    private static async Task WithoutEndAsync(HttpContext http)
    {
        var blanks = Encoding.ASCII.GetBytes(new string(' ', 64 * 1024));
        while (!http.RequestAborted.IsCancellationRequested)
        {
            await http.Response.Body.WriteAsync(blanks, http.RequestAborted);
        }
    }

    private BrokerConnection Connect(TimeSpan timeout) =>
        new(
            new HttpClient(BrokerConnection.CreateHandler(_broker.Address))
            {
                BaseAddress = _broker.Address,
                Timeout = timeout,
            },
            TokenSource.From(_ => ValueTask.FromResult("a.b.c"))
        );

    private async Task CallAsync(string call, TimeSpan timeout)
    {
        using var connection = Connect(timeout);
        var cancellationToken = TestContext.Current.CancellationToken;
        await (
            call switch
            {
                "GET /health/ready" => connection.GetHealthAsync("ready", cancellationToken).AsTask(),
                "GET /v1/login" => connection.GetLoginAsync(cancellationToken).AsTask(),
                "GET /v1/whoami" => connection.WhoamiAsync(cancellationToken).AsTask(),
                _ => (Task)
                    new AgentClient(connection)
                        .ExchangeAsync(
                            new()
                            {
                                Task = new()
                                {
                                    Id = "t",
                                    Process = "p",
                                    Purpose = "x",
                                },
                                Credential = "c",
                                Actions = ["read"],
                            },
                            cancellationToken
                        )
                        .AsTask(),
            }
        ).WaitAsync(Long, cancellationToken);
    }
}
