using System.Collections.Concurrent;
using System.Net;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CredBroker.UnitTests.Server.Notifications;

/// <summary>A server on loopback that keeps what it is sent and answers as the test wants.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _application;

    private WebhookReceiver(WebApplication application) => _application = application;

    public Uri Address => new(_application.Urls.Single());

    public Func<HttpContext, Task> Answer { get; set; } = _ => Task.CompletedTask;

    public ConcurrentQueue<Message> Messages { get; } = [];

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        var receiver = new WebhookReceiver(application);
        application.Run(async http =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            receiver.Messages.Enqueue(
                new(
                    http.Request.Path.Value!,
                    http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString()),
                    body.ToArray()
                )
            );
            await receiver.Answer(http);
        });
        await application.StartAsync();
        return receiver;
    }

    public Task ReceivedAsync(int count) =>
        Eventually.BecomesTrueAsync(() => Task.FromResult(Messages.Count >= count), $"{count} messages");

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    internal sealed record Message(string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body)
    {
        public string Id => Headers["webhook-id"];
    }
}
