using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Exchange;
using CredBroker.Core.State;
using CredBroker.Server.Notifications;
using CredBroker.Testing.Broker;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.UnitTests.Server.Notifications;

/// <summary>A broker that tells a server outside of its questions to people, and what that server got.</summary>
public abstract class NotificationTestBase : IAsyncLifetime
{
    private protected const string Purpose =
        "pay <!channel> <https://evil.example|Approved> [x](https://evil.example) *b* \u202e";
    private protected readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private protected readonly string _secret = Path.GetTempFileName();
    private protected readonly string _url = Path.GetTempFileName();
    private protected BrokerHarness _broker = null!;
    private protected WebhookReceiver _receiver = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_secret, $"whsec_{Convert.ToBase64String(_key)}");
        _receiver = await WebhookReceiver.StartAsync();
        await File.WriteAllTextAsync(_url, $"{_receiver.Address}chat/token-in-the-address\n");
        _broker = await BrokerHarness.StartAsync();
        await _broker.ApplyAsync(
            HarnessPolicy
                .Text(comment: "asked")
                .Replace(
                    "effect: allow",
                    "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m, show: [{ label: Amount, path: toolCall.arguments.amount }] }",
                    StringComparison.Ordinal
                )
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _receiver.DisposeAsync();
        File.Delete(_secret);
        File.Delete(_url);
        GC.SuppressFinalize(this);
    }

    private protected NotificationEndpointOptions Desk() =>
        new()
        {
            Name = "desk",
            Url = $"{_receiver.Address}desk",
            SecretFile = _secret,
            AllowPrivateAddress = true,
        };

    private protected NotificationEndpointOptions Chat(NotificationFormat format) =>
        new()
        {
            Name = "chat",
            Format = format,
            UrlFile = _url,
            AllowPrivateAddress = true,
        };

    private protected NotificationRun Run(params NotificationEndpointOptions[] endpoints) =>
        Run(new NotificationTarget(_broker.Time), endpoints);

    private protected NotificationRun Run(NotificationTarget target, params NotificationEndpointOptions[] endpoints) =>
        new(
            new() { Endpoints = endpoints, Link = "https://approvals.example/{approvalId}" },
            target,
            _broker.Store,
            _broker.Time,
            NullLogger<NotificationRun>.Instance
        );

    private protected async Task<Approval> AskAsync(string task = "t-1", string instance = "1")
    {
        var command = BrokerHarness.Command(task: task, instance: instance);
        return Assert
            .IsType<ExchangeOutcome.Challenged>(
                await _broker.ExchangeAsync(
                    command with
                    {
                        Task = command.Task with { Purpose = Purpose },
                        Request = command.Request with
                        {
                            ToolCall = new("pay", JsonElement.Parse("""{"amount":12,"password":"hunter2"}""")),
                        },
                    }
                )
            )
            .Approval;
    }

    private protected static string Text(WebhookReceiver.Message message) => Encoding.UTF8.GetString(message.Body);
}
