using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Server.Notifications;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Server.Notifications;

/// <summary>What is told outside of a question to people, and how it is signed and shown.</summary>
public sealed class NotificationMessageTests : NotificationTestBase
{
    [Fact]
    public async Task A_question_and_its_answer_are_told_signed_with_what_approvers_see()
    {
        var asked = await AskAsync();
        var run = Run(Desk());
        await run.RunAsync(default);
        await _broker.People.DenyAsync(Ann, asked.Id, "not today", BrokerHarness.Call, default);
        await run.RunAsync(default);
        await run.RunAsync(default);

        var messages = _receiver.Messages.ToArray();
        Assert.Equal(2, messages.Length);
        foreach (var message in messages)
        {
            var signed = Encoding.UTF8.GetBytes(
                $"{message.Id}.{message.Headers["webhook-timestamp"]}.{Encoding.UTF8.GetString(message.Body)}"
            );
            Assert.Equal(
                $"v1,{Convert.ToBase64String(HMACSHA256.HashData(_key, signed))}",
                message.Headers["webhook-signature"]
            );
            Assert.Equal($"{_broker.Time.GetUtcNow().ToUnixTimeSeconds()}", message.Headers["webhook-timestamp"]);
        }

        var (first, second) = (Read(messages[0]), Read(messages[1]));
        Assert.Equal(
            ("approval.asked", asked.Id, "pending", asked.Digest, Purpose),
            (first.Type, first.Data.ApprovalId, first.Data.State, first.Data.Digest, first.Data.Statements.Purpose)
        );
        Assert.Equal("12", Assert.Single(first.Data.Statements.Arguments).Text);
        Assert.Equal($"https://approvals.example/{asked.Id}", first.Link);
        Assert.Equal(
            ("approval.denied", "denied", "person:https://people.example#ann", "not today"),
            (second.Type, second.Data.State, second.Data.ClosedBy, second.Data.Reason)
        );
        // What no rule shows is told to nobody.
        Assert.DoesNotContain(messages, message => Text(message).Contains("hunter2", StringComparison.Ordinal));
        Assert.Empty(await _broker.Store.Notifications.FindDueAsync(10, default));
    }

    /// <summary>Though somebody has agreed since: the same notification is the same message.</summary>
    [Fact]
    public async Task That_more_people_are_asked_is_told_as_it_was_when_it_happened()
    {
        await _broker.ApplyAsync(
            HarnessPolicy
                .Text()
                .Replace(
                    "effect: allow",
                    "effect: challenge\n    approval: { approvers: [\"group:leads\"], quorum: 2, expiresAfter: 30m, "
                        + "escalate: { after: 10m, to: [\"group:heads\"] } }",
                    StringComparison.Ordinal
                )
        );
        var asked = await AskAsync();
        _broker.Time.Advance(TimeSpan.FromMinutes(10));
        await _broker.ApprovalSweep.RunAsync(default);
        _broker.Time.Advance(TimeSpan.FromSeconds(1));
        await _broker.People.AgreeAsync(Ann, asked.Id, asked.Digest, BrokerHarness.Call, default);
        await Run(Desk() with { Events = [NotificationKind.Escalated] }, Chat(NotificationFormat.Slack))
            .RunAsync(default);

        var told = Read(Assert.Single(_receiver.Messages, message => message.Headers.ContainsKey("webhook-signature")));
        Assert.Equal(("approval.escalated", "pending"), (told.Type, told.Data.State));
        Assert.Empty(told.Data.Agreements);
        Assert.Equal(asked.AskedAt.AddMinutes(10), Assert.Single(told.Data.Demands).Escalation?.At);
        Assert.Contains(
            _receiver.Messages,
            message => Text(message).Contains("more people are asked", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_message_says_which_secret_it_is_who_uses_it_and_which_limit_asks()
    {
        await AskAsync();
        await Run(Desk()).RunAsync(default);
        var told = Read(Assert.Single(_receiver.Messages));
        var longest = new string('a', CatalogueParameter.LongestValue);
        var facts = MessageFacts.Of(
            told with
            {
                Data = told.Data with
                {
                    Params = new Dictionary<string, string> { ["tenant"] = longest, ["region"] = "eu" },
                    Executor = "payer",
                    Demands = [told.Data.Demands[0] with { LimitSays = "10 an hour are used up" }],
                },
            }
        );
        Assert.Equal(
            [("Parameters", "region=eu"), ("Parameters", $"tenant={longest}")],
            facts.Known.Where(fact => fact.Label == "Parameters")
        );
        Assert.Contains(("Executor", "payer"), facts.Known);
        Assert.Contains(("Limit", "10 an hour are used up"), facts.Known);
    }

    [Theory]
    [InlineData(NotificationFormat.Slack)]
    [InlineData(NotificationFormat.Teams)]
    public async Task What_an_agent_says_in_a_chat_is_plain_text_and_marked_as_its_own(NotificationFormat format)
    {
        var asked = await AskAsync();
        await Run(Chat(format)).RunAsync(default);

        var message = Assert.Single(_receiver.Messages);
        Assert.Equal("/chat/token-in-the-address", message.Path);
        Assert.DoesNotContain("hunter2", Text(message), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(message.Body);
        var said = new List<JsonElement>();
        var all = Objects(json.RootElement).ToList();
        foreach (var part in all)
        {
            if (part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String)
            {
                var isMarkup = part.TryGetProperty("type", out var type)
                    ? type.GetString() is not ("plain_text" or "TextRun")
                    : true;
                if (isMarkup)
                {
                    // The broker's own words, and the one link.
                    Assert.Contains(
                        text.GetString(),
                        new[]
                        {
                            "An agent asks for approval",
                            $"<https://approvals.example/{asked.Id}|Look at the request>",
                            $"[Look at the request](https://approvals.example/{asked.Id})",
                        }
                    );
                }
                else if (text.GetString()!.Contains("evil.example", StringComparison.Ordinal))
                {
                    said.Add(part);
                }
            }

            Assert.False(part.TryGetProperty("actions", out _));
            Assert.False(part.TryGetProperty("msteams", out _));
        }

        var shown = Assert.Single(said).GetProperty("text").GetString()!;
        Assert.Contains("\\u{202E}", shown, StringComparison.Ordinal);
        if (format == NotificationFormat.Slack)
        {
            Assert.DoesNotContain("<", shown, StringComparison.Ordinal);
            Assert.Contains("&lt;!channel&gt;", shown, StringComparison.Ordinal);
            Assert.DoesNotContain(all, part => Type(part) is "button" or "actions");
        }
        else
        {
            Assert.DoesNotContain(all, part => Type(part).StartsWith("Action", StringComparison.Ordinal));
        }

        var texts = Texts(json.RootElement).ToList();
        var marked = texts.FindIndex(text => text == MessageFacts.SaidTitle);
        Assert.True(marked > 0 && marked < texts.FindIndex(text => text.Contains("evil", StringComparison.Ordinal)));
        Assert.True(texts.FindIndex(text => text.Contains("billing", StringComparison.Ordinal)) < marked);
    }

    [Fact]
    public async Task What_cannot_be_made_is_given_up()
    {
        await AskAsync();
        var run = Run(
            new NotificationTarget(_broker.Time, (_, _) => throw new InvalidOperationException()),
            Desk() with
            {
                Url = "https://hooks.example/",
            }
        );
        for (var attempt = 0; attempt < NotificationRun.MaxAttempts; attempt++)
        {
            await run.RunAsync(default);
            _broker.Time.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(1, await _broker.Store.Notifications.CountFailedAsync(default));
        Assert.Single(await _broker.EventsAsync(NotificationFailed.TypeName));
    }

    private static Person Ann { get; } =
        new()
        {
            Issuer = "https://people.example",
            Subject = "ann",
            Roles = new HashSet<PersonRole> { PersonRole.Approver },
            Groups = ["leads"],
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "hash",
        };

    private static ApprovalNotification Read(WebhookReceiver.Message message) =>
        JsonSerializer.Deserialize(message.Body, BrokerJson.Strict.ApprovalNotification)!;

    private static string Type(JsonElement part) =>
        part.TryGetProperty("type", out var type) ? type.GetString() ?? "" : "";

    private static IEnumerable<JsonElement> Objects(JsonElement part) =>
        part.ValueKind switch
        {
            JsonValueKind.Object => part.EnumerateObject().SelectMany(member => Objects(member.Value)).Prepend(part),
            JsonValueKind.Array => part.EnumerateArray().SelectMany(Objects),
            _ => [],
        };

    private static IEnumerable<string> Texts(JsonElement part) =>
        part.ValueKind switch
        {
            JsonValueKind.Object => part.EnumerateObject().SelectMany(member => Texts(member.Value)),
            JsonValueKind.Array => part.EnumerateArray().SelectMany(Texts),
            JsonValueKind.String => [part.GetString()!],
            _ => [],
        };
}
