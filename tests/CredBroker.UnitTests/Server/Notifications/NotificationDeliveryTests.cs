using CredBroker.Client;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Server.Notifications;
using CredBroker.Testing.Processes;

namespace CredBroker.UnitTests.Server.Notifications;

/// <summary>How often a message is sent, until when, by whom, and that no address keeps others waiting.</summary>
public sealed class NotificationDeliveryTests : NotificationTestBase
{
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
}
