using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using CredBroker.Core.Approvals;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Notifications;
using CredBroker.Testing.Broker;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.UnitTests.Server.Notifications;

/// <summary>Whom an agent's access request has named is called, where the settings let it name them.</summary>
public sealed class CallbackTests : IAsyncLifetime
{
    private static readonly Person Ann = new()
    {
        Issuer = "https://people.example",
        Subject = "ann",
        Roles = new HashSet<PersonRole> { PersonRole.Approver },
        Groups = ["leads"],
        ProofExpiresAt = DateTimeOffset.MaxValue,
        ProofHash = "hash",
    };
    private readonly string _secret = Path.GetTempFileName();
    private BrokerHarness _broker = null!;
    private WebhookReceiver _receiver = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_secret, $"whsec_{Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}");
        _receiver = await WebhookReceiver.StartAsync();
        _broker = await BrokerHarness.StartAsync();
        await _broker.ApplyAsync(
            HarnessPolicy
                .Text()
                .Replace(
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
    public async Task It_is_called_again_until_it_takes_it_under_the_same_id_with_the_same_words()
    {
        await DeniedAsync();
        var run = Run(Agents());
        _receiver.Answer = http =>
        {
            http.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await run.RunAsync(default);
        _receiver.Answer = _ => Task.CompletedTask;
        _broker.Time.Advance(TimeSpan.FromSeconds(6));
        await run.RunAsync(default);
        _broker.Time.Advance(TimeSpan.FromHours(1));
        await run.RunAsync(default);

        Assert.Equal(2, _receiver.Messages.Count);
        Assert.Single(_receiver.Messages.Select(message => message.Id).Distinct());
        var statuses = _receiver.Messages.Select(message => TaskOf(message).GetProperty("status").GetString());
        Assert.Equal(["denied", "denied"], statuses);
        // The person's words are for who asks the status by its own proof.
        Assert.DoesNotContain(
            _receiver.Messages,
            message => System.Text.Encoding.UTF8.GetString(message.Body).Contains("not today", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Nothing_is_kept_of_it_once_the_question_is_over()
    {
        await SubmitAsync(Agents().Url);
        Assert.Equal(1, await _broker.ExecuteAsync("UPDATE access_callback SET state = state"));
        await _broker.ApprovalSweep.RunAsync(default);
        _broker.Time.Advance(TimeSpan.FromMinutes(30));
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(0, await _broker.ExecuteAsync("UPDATE access_callback SET state = state"));
    }

    [Fact]
    public async Task What_it_never_takes_is_given_up_in_plain_view()
    {
        var asked = await DeniedAsync();
        var run = Run(Agents());
        _receiver.Answer = http =>
        {
            http.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        for (var attempt = 0; attempt < NotificationRun.MaxAttempts + 2; attempt++)
        {
            await run.RunAsync(default);
            _broker.Time.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(NotificationRun.MaxAttempts, _receiver.Messages.Count);
        var told = Assert.Single(await _broker.EventsAsync(NotificationFailed.TypeName)).GetProperty("details");
        Assert.Equal(
            (asked.Id, "denied", "agents"),
            (
                told.GetProperty("approval").GetString(),
                told.GetProperty("kind").GetString(),
                told.GetProperty("endpoints")[0].GetString()
            )
        );
    }

    [Fact]
    public async Task Whom_the_settings_name_no_more_or_not_for_this_caller_is_not_called()
    {
        await DeniedAsync();
        foreach (
            var other in new[]
            {
                Agents() with
                {
                    Url = $"{_receiver.Address}elsewhere",
                },
                Agents() with
                {
                    Callers = [new() { Issuer = "https://idp.example", Workload = "helper" }],
                },
                Agents() with
                {
                    Callers = [new() { Issuer = "https://elsewhere.example", Workload = "triage" }],
                },
            }
        )
        {
            await Run(other).RunAsync(default);
            _broker.Time.Advance(TimeSpan.FromHours(1));
        }

        Assert.Empty(_receiver.Messages);
        await Run(Agents()).RunAsync(default);
        Assert.Single(_receiver.Messages);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.0.0.7")]
    [InlineData("169.254.169.254")]
    [InlineData("fd00::1")]
    public async Task An_address_that_leads_to_an_internal_network_is_not_called_unless_the_settings_say_so(string to)
    {
        var url = $"https://hooks.example:{_receiver.Address.Port}/agents";
        await DeniedAsync(url);
        var agents = Agents() with { Url = url, AllowPrivateAddress = false };
        Assert.Empty(agents.Validate("Callbacks:0"));
        var resolved = 0;
        var target = new NotificationTarget(
            _broker.Time,
            (_, _) =>
            {
                resolved++;
                return Task.FromResult<IPAddress[]>([IPAddress.Parse(to)]);
            }
        );
        await Run(target, agents).RunAsync(default);
        Assert.Equal(1, resolved);
        Assert.Empty(_receiver.Messages);

        var literal = agents with { Url = $"https://{(to.Contains(':', StringComparison.Ordinal) ? $"[{to}]" : to)}/" };
        Assert.Contains(
            literal.Validate("Callbacks:0"),
            fault => fault.StartsWith("Callbacks:0:Url", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task What_ends_by_itself_is_told_too()
    {
        var asked = await SubmitAsync(Agents().Url);
        _broker.Time.Advance(TimeSpan.FromMinutes(30));
        await _broker.ApprovalSweep.RunAsync(default);
        await Run(Agents()).RunAsync(default);
        var task = TaskOf(Assert.Single(_receiver.Messages));
        Assert.Equal(
            (asked.Id, "expired"),
            (task.GetProperty("id").GetString(), task.GetProperty("status").GetString())
        );
    }

    [Fact]
    public void Every_fault_of_the_settings_is_told_with_what_to_write()
    {
        var options = new NotificationOptions
        {
            Endpoints =
            [
                new()
                {
                    Name = "desk",
                    Url = "https://desk.example/",
                    SecretFile = _secret,
                },
            ],
            Callbacks =
            [
                Agents(),
                Agents() with
                {
                    Name = "DESK",
                },
                Agents() with
                {
                    Name = "a",
                    Url = "",
                },
                Agents() with
                {
                    Name = "b",
                    Url = "http://hooks.example/",
                },
                Agents() with
                {
                    Name = "c",
                    SecretFile = "",
                },
                Agents() with
                {
                    Name = "d",
                    StatusAddress = "http://broker.example/",
                },
                Agents() with
                {
                    Name = "e",
                    StatusAddress = "https://broker.example/path",
                },
                Agents() with
                {
                    Name = "f",
                    Callers = [],
                },
                Agents() with
                {
                    Name = "g",
                    Callers = [new() { Issuer = "https://idp.example" }],
                },
            ],
        };
        var faults = options.Validate().ToList();
        foreach (
            var (place, setting) in new[]
            {
                (2, ":Url is missing"),
                (3, ":Url"),
                (4, ":SecretFile is needed"),
                (5, ":StatusAddress"),
                (6, ":StatusAddress"),
                (7, ":Callers"),
                (8, ":Callers"),
            }
        )
        {
            Assert.Contains(
                faults,
                fault => fault.StartsWith($"Notifications:Callbacks:{place}{setting}", StringComparison.Ordinal)
            );
        }

        Assert.Contains(faults, fault => fault.Contains("\"desk\" twice", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("has the address", StringComparison.Ordinal));
        Assert.Empty(new NotificationOptions { Callbacks = [Agents()] }.Validate());
    }

    private CallbackOptions Agents() =>
        new()
        {
            Name = "agents",
            Url = $"{_receiver.Address}agents",
            SecretFile = _secret,
            AllowPrivateAddress = true,
            StatusAddress = "https://broker.example",
            Callers = [new() { Issuer = "https://idp.example", Workload = "triage" }],
        };

    private NotificationRun Run(CallbackOptions callback) => Run(new(_broker.Time), callback);

    private NotificationRun Run(NotificationTarget target, CallbackOptions callback) =>
        new(
            new() { Callbacks = [callback] },
            target,
            _broker.Store,
            _broker.Time,
            NullLogger<NotificationRun>.Instance
        );

    private async Task<Approval> DeniedAsync(string? url = null)
    {
        var asked = await SubmitAsync(url ?? Agents().Url);
        var said = await _broker.People.DenyAsync(Ann, asked.Id, "not today", BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out _));
        return asked;
    }

    private async Task<Approval> SubmitAsync(string url)
    {
        var command = BrokerHarness.Command();
        var identity = Assert
            .IsType<VerificationOutcome.Verified>(await _broker.Verifier.VerifyAsync(command.Proof, default))
            .Identity;
        var noted = Assert.IsType<AccessEvaluation>(
            await _broker.Access.NoteAsync(identity, "binding-1", _broker.Policy.Current!, default)
        );
        return Assert
            .IsType<ExchangeOutcome.Challenged>(
                await _broker.Exchange.SubmitAsync(
                    command,
                    new()
                    {
                        EvaluationId = noted.Id,
                        ExpiresAt = noted.ExpiresAt,
                        Binding = noted.Binding,
                        BodyDigest = "body-1",
                        Callback = new()
                        {
                            Endpoint = url,
                            Events = [],
                            State = "\"s\"",
                        },
                    },
                    default
                )
            )
            .Approval;
    }

    private static JsonElement TaskOf(WebhookReceiver.Message message) =>
        JsonElement.Parse(message.Body).GetProperty("task");
}
