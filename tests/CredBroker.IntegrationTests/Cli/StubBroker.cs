using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using CredBroker.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>
/// A server on loopback that answers as a test tells it: for what the real broker does rarely, slowly or never.
/// </summary>
internal sealed class StubBroker : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> _answers = new();

    private StubBroker(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single() + "/");

    /// <summary>What was asked, in order.</summary>
    public ConcurrentQueue<StubCall> Calls { get; } = new();

    public static async Task<StubBroker> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var stub = new StubBroker(app);
        app.Run(stub.AnswerAsync);
        await app.StartAsync();
        return stub;
    }

    /// <summary>How a call (<c>GET /v1/leases</c>) is answered from now on.</summary>
    public StubBroker On(string call, Func<HttpContext, Task> answer)
    {
        _answers[call] = answer;
        return this;
    }

    public StubBroker On<T>(string call, T value, JsonTypeInfo<T> type, int status = 200) =>
        On(
            call,
            context =>
            {
                context.Response.StatusCode = status;
                return context.Response.WriteAsJsonAsync(value, type);
            }
        );

    public StubBroker OnStatus(string call, int status) =>
        On(
            call,
            context =>
            {
                context.Response.StatusCode = status;
                return Task.CompletedTask;
            }
        );

    public StubBroker OnProblem(string call, string code, string detail, int? retryAfter = null)
    {
        var entry = ErrorCodes.Find(code)!;
        return On(
            call,
            context =>
            {
                context.Response.StatusCode = entry.Status;
                return context.Response.WriteAsJsonAsync(
                    new ProblemResponse
                    {
                        Title = entry.Title,
                        Status = entry.Status,
                        Code = code,
                        Detail = detail,
                        RetryAfter = retryAfter,
                        TraceId = "trace-1",
                    },
                    BrokerJson.Default.ProblemResponse,
                    "application/problem+json"
                );
            }
        );
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var call = $"{context.Request.Method} {context.Request.Path}";
        Calls.Enqueue(
            new(
                call,
                context.Request.QueryString.Value ?? "",
                context.Request.Headers.Authorization.ToString(),
                await reader.ReadToEndAsync()
            )
        );
        if (_answers.TryGetValue(call, out var answer))
        {
            await answer(context);
        }
        else
        {
            context.Response.StatusCode = 404;
        }
    }
}

/// <summary>A call that the stub got.</summary>
internal sealed record StubCall(string Call, string Query, string Authorization, string Body);
