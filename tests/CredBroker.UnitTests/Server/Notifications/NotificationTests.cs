using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Server.Hosting;
using CredBroker.Server.Notifications;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.UnitTests.Server.Notifications;

/// <summary>Who outside is told of a question to people: from the store to a server that takes it.</summary>
public sealed class NotificationTests : IAsyncLifetime
{
    private const string Purpose =
        "pay <!channel> <https://evil.example|Approved> [x](https://evil.example) *b* \u202e";
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly string _secret = Path.GetTempFileName();
    private readonly string _url = Path.GetTempFileName();
    private BrokerHarness _broker = null!;
    private WebhookReceiver _receiver = null!;

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
    }

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
    public async Task What_is_not_taken_is_sent_again_under_the_same_id_with_the_same_words_and_not_to_who_has_it()
    {
        await AskAsync();
        var run = Run(Desk(), Desk() with { Name = "other", Url = $"{_receiver.Address}other" });
        _receiver.Answer = http =>
        {
            http.Response.StatusCode = http.Request.Path == "/other" ? 503 : 204;
            return Task.CompletedTask;
        };
        await run.RunAsync(default);
        await run.RunAsync(default);
        Assert.Equal(2, _receiver.Messages.Count);

        _receiver.Answer = _ => Task.CompletedTask;
        _broker.Time.Advance(TimeSpan.FromSeconds(6));
        await run.RunAsync(default);
        await run.RunAsync(default);

        var others = _receiver.Messages.Where(message => message.Path == "/other").ToArray();
        Assert.Equal((3, 2), (_receiver.Messages.Count, others.Length));
        Assert.Single(_receiver.Messages.Select(message => message.Id).Distinct());
        Assert.Equal(Text(others[0]), Text(others[1]));
        Assert.Empty(await _broker.EventsAsync(NotificationFailed.TypeName));
    }

    [Fact]
    public async Task What_nobody_takes_is_given_up_in_plain_view()
    {
        var asked = await AskAsync();
        var run = Run(Desk());
        _receiver.Answer = http =>
        {
            http.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        for (var attempt = 0; attempt < NotificationRun.MaxAttempts + 3; attempt++)
        {
            await run.RunAsync(default);
            _broker.Time.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(NotificationRun.MaxAttempts, _receiver.Messages.Count);
        Assert.Equal(1, await _broker.Store.Notifications.CountFailedAsync(default));
        var told = Assert.Single(await _broker.EventsAsync(NotificationFailed.TypeName)).GetProperty("details");
        Assert.Equal(
            (asked.Id, "asked", NotificationRun.MaxAttempts, "desk"),
            (
                told.GetProperty("approval").GetString(),
                told.GetProperty("kind").GetString(),
                told.GetProperty("attempts").GetInt32(),
                told.GetProperty("endpoints")[0].GetString()
            )
        );
    }

    [Fact]
    public async Task A_silent_address_keeps_no_other_waiting()
    {
        var (run, began) = (Run(Desk(), Desk() with { Name = "other", Url = $"{_receiver.Address}other" }), Now());
        var silence = new TaskCompletionSource();
        _receiver.Answer = http => http.Request.Path == "/other" ? silence.Task : Task.CompletedTask;
        for (var task = 0; task < 3; task++)
        {
            await AskAsync($"t-{task}");
            var pass = run.RunAsync(default).AsTask();
            await Eventually.BecomesTrueAsync(
                () => Task.FromResult(_receiver.Messages.Count(message => message.Path == "/desk") > task),
                "the healthy address has it"
            );
            while (!pass.IsCompleted && Now() - began < TimeSpan.FromSeconds(9))
            {
                _broker.Time.Advance(TimeSpan.FromMilliseconds(250));
                await Task.WhenAny(pass, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
            }

            if (!pass.IsCompletedSuccessfully)
            {
                silence.SetResult();
                Assert.Fail("the pass waits for the silent address");
            }
        }

        silence.SetResult();
        DateTimeOffset Now() => _broker.Time.GetUtcNow();
    }

    [Fact]
    public async Task A_silent_address_takes_no_place_of_a_healthy_one_however_many_it_holds()
    {
        const int many = 150;
        var run = Run(Desk(), Desk() with { Name = "other", Url = $"{_receiver.Address}other" });
        var silence = new TaskCompletionSource();
        _receiver.Answer = http => http.Request.Path == "/other" ? silence.Task : Task.CompletedTask;
        await TellAsync(many);

        try
        {
            // In less time than the silent one takes to be given up once.
            var (began, last) = (_broker.Time.GetUtcNow(), Task.CompletedTask);
            await Eventually.BecomesTrueAsync(async () =>
            {
                if (last.IsCompleted)
                {
                    last = run.RunAsync(default).AsTask();
                }
                else if (
                    // The clock stands still until the first pass has sent all of its own.
                    _receiver.Messages.Count(message => message.Path == "/other") >= 64
                    && _broker.Time.GetUtcNow() - began < TimeSpan.FromSeconds(8)
                )
                {
                    _broker.Time.Advance(TimeSpan.FromMilliseconds(250));
                    await Task.WhenAny(last, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
                }

                return _receiver.Messages.Count(message => message.Path == "/desk") == many;
            });
            // The first pass cannot know; afterwards it is left alone.
            Assert.InRange(_receiver.Messages.Count(message => message.Path == "/other"), 1, 80);
        }
        finally
        {
            silence.SetResult();
        }
    }

    [Theory]
    [InlineData("1800", 30)]
    [InlineData("1000000", 60)]
    public async Task An_address_that_asks_to_be_left_alone_is_and_others_are_not(string asked, int minutes)
    {
        var run = Run(Desk(), Desk() with { Name = "other", Url = $"{_receiver.Address}other" });
        _receiver.Answer = http =>
        {
            http.Response.StatusCode = http.Request.Path == "/other" ? 503 : 204;
            http.Response.Headers.RetryAfter = asked;
            return Task.CompletedTask;
        };
        await AskAsync("t-1");
        await run.RunAsync(default);
        await AskAsync("t-2");
        for (var minute = 0; minute < minutes - 1; minute++)
        {
            await run.RunAsync(default);
            _broker.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal((2, 1), Counts());
        _receiver.Answer = _ => Task.CompletedTask;
        // What is due then may have its own wait beside it.
        _broker.Time.Advance(TimeSpan.FromMinutes(2));
        await run.RunAsync(default);
        Assert.Equal((2, 3), Counts());
        Assert.Empty(await _broker.EventsAsync(NotificationFailed.TypeName));

        (int, int) Counts() =>
            (
                _receiver.Messages.Count(message => message.Path == "/desk"),
                _receiver.Messages.Count(message => message.Path == "/other")
            );
    }

    [Fact]
    public async Task An_address_that_is_gone_is_switched_off_in_plain_view_until_a_new_start()
    {
        var run = Run(Desk(), Desk() with { Name = "other", Url = $"{_receiver.Address}other" });
        _receiver.Answer = http =>
        {
            http.Response.StatusCode = http.Request.Path == "/other" ? 410 : 204;
            return Task.CompletedTask;
        };
        await TellAsync(5);
        await run.RunAsync(default);
        Assert.Equal(1, run.Gone);
        var others = Others();
        await AskAsync("later");
        for (var pass = 0; pass < 3; pass++)
        {
            _broker.Time.Advance(TimeSpan.FromHours(1));
            await run.RunAsync(default);
        }

        Assert.Equal((others, 6), (Others(), _receiver.Messages.Count(message => message.Path == "/desk")));
        Assert.Empty(await _broker.Store.Notifications.FindDueAsync(10, default));
        Assert.Equal(0, await _broker.Store.Notifications.CountFailedAsync(default));
        var told = Assert.Single(await _broker.EventsAsync(NotificationEndpointGone.TypeName));
        Assert.Equal("other", told.GetProperty("details").GetProperty("endpoint").GetString());

        await AskAsync("after a start");
        await Run(Desk() with { Name = "other", Url = $"{_receiver.Address}other" }).RunAsync(default);
        Assert.Equal(others + 1, Others());

        int Others() => _receiver.Messages.Count(message => message.Path == "/other");
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

    [Fact]
    public async Task Of_two_brokers_one_sends()
    {
        for (var task = 0; task < 8; task++)
        {
            await AskAsync($"t-{task}");
        }

        // Both see the same that is due.
        await Task.WhenAll(Run(Desk()).RunAsync(default).AsTask(), Run(Desk()).RunAsync(default).AsTask());
        await Run(Desk()).RunAsync(default);
        Assert.Equal(8, _receiver.Messages.Count);
        Assert.Equal(8, _receiver.Messages.Select(message => message.Id).Distinct().Count());
    }

    [Fact]
    public async Task What_is_muted_is_on_record_and_sent_to_nobody()
    {
        var asked = await AskAsync();
        await Run(
                Desk() with
                {
                    MutedProcesses = ["invoice-triage"],
                },
                Desk() with
                {
                    Name = "answers",
                    Events = [NotificationKind.Approved, NotificationKind.Denied],
                }
            )
            .RunAsync(default);
        Assert.Empty(_receiver.Messages);
        Assert.Empty(await _broker.Store.Notifications.FindDueAsync(10, default));
        Assert.Equal(asked.Id, Assert.Single(await _broker.Store.Approvals.ListOpenAsync(default)).Id);
        Assert.Single(await _broker.EventsAsync(ApprovalRequested.TypeName));
    }

    [Fact]
    public async Task No_redirect_is_followed_and_no_answer_is_read()
    {
        _receiver.Answer = http =>
        {
            http.Response.Redirect($"{_receiver.Address}elsewhere");
            return Task.CompletedTask;
        };
        Assert.Equal("it answered 302", await SendAsync(Desk()));
        _receiver.Answer = async http =>
        {
            // Without an end: who read it would wait for ever.
            await http.Response.WriteAsync(new string('x', 1024));
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        };
        Assert.Null(await SendAsync(Desk()));
        Assert.DoesNotContain(_receiver.Messages, message => message.Path == "/elsewhere");
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.0.0.7")]
    [InlineData("169.254.169.254")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task A_name_that_comes_to_lead_into_a_private_network_is_not_called(string leadsTo)
    {
        var endpoint = Desk() with
        {
            Url = $"https://hooks.example:{_receiver.Address.Port}/",
            AllowPrivateAddress = false,
        };
        Assert.Empty(endpoint.Validate("Endpoints:0"));
        var asked = 0;
        var target = new NotificationTarget(
            TimeProvider.System,
            (_, _) =>
            {
                asked++;
                return Task.FromResult<IPAddress[]>([IPAddress.Parse(leadsTo)]);
            }
        );
        Assert.Equal(
            "its name leads to no address that may be called",
            (await target.SendAsync(endpoint, "msg_1", "{}"u8.ToArray(), default)).Why
        );
        Assert.Equal(1, asked);
        Assert.Empty(_receiver.Messages);
    }

    [Fact]
    public async Task In_clear_it_goes_to_this_machine_and_no_further()
    {
        var target = new NotificationTarget(
            TimeProvider.System,
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("10.0.0.7")])
        );
        Assert.Equal(
            "its name leads to no address that may be called",
            (
                await target.SendAsync(
                    Desk() with
                    {
                        Url = $"http://localhost:{_receiver.Address.Port}/",
                    },
                    "msg_1",
                    "{}"u8.ToArray(),
                    default
                )
            ).Why
        );
    }

    [Fact]
    public async Task What_kept_it_names_no_address()
    {
        await File.WriteAllTextAsync(_url, "https://127.0.0.1:1/token-in-the-address");
        var why = await SendAsync(Chat(NotificationFormat.Slack));
        Assert.Contains("could not be reached", why, StringComparison.Ordinal);
        Assert.DoesNotContain("token", why, StringComparison.Ordinal);
        File.Delete(_url);
        Assert.Equal("the file does not exist", await SendAsync(Chat(NotificationFormat.Slack)));
    }

    [Fact]
    public void Every_fault_of_the_settings_is_told_with_what_to_write()
    {
        var options = new NotificationOptions
        {
            Link = "http://approvals.example",
            Endpoints =
            [
                new() { Name = "a b" },
                Desk() with
                {
                    Url = "http://hooks.example/",
                },
                Desk() with
                {
                    Url = "https://10.0.0.1/",
                    AllowPrivateAddress = false,
                },
                Desk() with
                {
                    Url = "https://169.254.169.254/",
                },
                Desk() with
                {
                    Url = "https://user:password@hooks.example/",
                },
                Desk() with
                {
                    SecretFile = "/does/not/exist",
                },
                Chat(NotificationFormat.Teams) with
                {
                    UrlFile = "",
                    Url = "https://hooks.example/token",
                },
            ],
        };
        var faults = options.Validate().ToList();
        foreach (
            var (place, setting) in new[]
            {
                (0, "Name"),
                (0, " needs one of Url and UrlFile"),
                (0, "SecretFile"),
                (1, "Url"),
                (2, "Url"),
                (3, "Url"),
                (4, "Url"),
                (5, "SecretFile"),
                (6, "Url"),
            }
        )
        {
            Assert.Contains(
                faults,
                fault =>
                    fault.StartsWith($"Notifications:Endpoints:{place}", StringComparison.Ordinal)
                    && fault.Contains(setting, StringComparison.Ordinal)
            );
        }

        Assert.Contains(faults, fault => fault.StartsWith("Notifications:Link", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("\"desk\" twice", StringComparison.Ordinal));
        Assert.DoesNotContain(faults, fault => fault.Contains("password", StringComparison.Ordinal));
        Assert.Empty(new NotificationOptions().Validate());
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

    private NotificationEndpointOptions Desk() =>
        new()
        {
            Name = "desk",
            Url = $"{_receiver.Address}desk",
            SecretFile = _secret,
            AllowPrivateAddress = true,
        };

    private NotificationEndpointOptions Chat(NotificationFormat format) =>
        new()
        {
            Name = "chat",
            Format = format,
            UrlFile = _url,
            AllowPrivateAddress = true,
        };

    private NotificationRun Run(params NotificationEndpointOptions[] endpoints) =>
        Run(new NotificationTarget(_broker.Time), endpoints);

    private NotificationRun Run(NotificationTarget target, params NotificationEndpointOptions[] endpoints) =>
        new(
            new() { Endpoints = endpoints, Link = "https://approvals.example/{approvalId}" },
            target,
            _broker.Store,
            _broker.Time,
            NullLogger<NotificationRun>.Instance
        );

    private static async Task<string?> SendAsync(NotificationEndpointOptions endpoint) =>
        (await new NotificationTarget(TimeProvider.System).SendAsync(endpoint, "msg_1", "{}"u8.ToArray(), default)).Why;

    /// <summary>So many questions, each of another instance's.</summary>
    private async Task TellAsync(int many)
    {
        for (var number = 0; number < many; number++)
        {
            var asked = await AskAsync($"many-{number}", $"{number}");
            if (number % 50 == 49)
            {
                // A workload has only so many open.
                await _broker.ExecuteAsync("UPDATE approval SET closed_at = 1, state = 'voided'");
            }

            Assert.NotNull(asked);
        }
    }

    private async Task<Approval> AskAsync(string task = "t-1", string instance = "1")
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

    private static ApprovalNotification Read(WebhookReceiver.Message message) =>
        JsonSerializer.Deserialize(message.Body, BrokerJson.Strict.ApprovalNotification)!;

    private static string Text(WebhookReceiver.Message message) => Encoding.UTF8.GetString(message.Body);

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
