using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Server;

/// <summary>A broker whose settings name an address is heard there, and says so where it is not.</summary>
public sealed class NotificationApiTests : IAsyncLifetime
{
    private const string Body = """
        {"task":{"id":"t-1","process":"invoice-triage","purpose":"pay invoice 7"},"credential":"billing-readonly","actions":["read"]}
        """;
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly string _secret = Path.GetTempFileName();
    private readonly ConcurrentQueue<(string Id, string Time, string Signature, string Body)> _messages = [];
    private WebApplication _receiver = null!;
    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_secret, $"whsec_{Convert.ToBase64String(_key)}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _receiver = builder.Build();
        _receiver.Run(async http =>
        {
            using var body = new StreamReader(http.Request.Body);
            var headers = http.Request.Headers;
            _messages.Enqueue(
                (
                    headers["webhook-id"].ToString(),
                    headers["webhook-timestamp"].ToString(),
                    headers["webhook-signature"].ToString(),
                    await body.ReadToEndAsync()
                )
            );
        });
        await _receiver.StartAsync();
        _broker = await TestBroker.StartAsync(
            new Dictionary<string, string?>
            {
                ["Identity:Issuers:1:GroupsClaim"] = "groups",
                ["Notifications:Endpoints:0:Name"] = "desk",
                ["Notifications:Endpoints:0:Url"] = _receiver.Urls.Single(),
                ["Notifications:Endpoints:0:SecretFile"] = _secret,
                ["Notifications:Endpoints:0:AllowPrivateAddress"] = "true",
            },
            TestPolicy.Text.Replace(
                "effect: allow",
                "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m }",
                StringComparison.Ordinal
            )
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _receiver.DisposeAsync();
        File.Delete(_secret);
    }

    [Fact]
    public async Task What_is_asked_is_told_by_the_broker_itself()
    {
        using var asked = await _broker.SendAsync(HttpMethod.Post, "/v1/credentials", _broker.Agent(), Api.Json(Body));
        using var reply = JsonDocument.Parse(await asked.Content.ReadAsStringAsync());
        await Eventually.BecomesTrueAsync(() => Task.FromResult(!_messages.IsEmpty), "the message");
        Assert.True(_messages.TryDequeue(out var message));
        Assert.Equal(
            $"v1,{Convert.ToBase64String(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{message.Id}.{message.Time}.{message.Body}")))}",
            message.Signature
        );
        using var told = JsonDocument.Parse(message.Body);
        Assert.Equal(
            ("approval.asked", reply.RootElement.GetProperty("approvalId").GetString()),
            (
                told.RootElement.GetProperty("type").GetString(),
                told.RootElement.GetProperty("data").GetProperty("approvalId").GetString()
            )
        );

        using var health = JsonDocument.Parse(await _broker.Http.GetStringAsync("/health/issuing"));
        Assert.Contains(
            health.RootElement.GetProperty("parts").EnumerateArray(),
            part =>
                part.GetProperty("name").GetString() == "notifications"
                && part.GetProperty("status").GetString() == "ok"
        );
    }
}
