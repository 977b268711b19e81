using System.Text.Json;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Testing.Broker;
using Microsoft.AspNetCore.Http;

namespace CredBroker.UnitTests.Audit;

/// <summary>Reading by people: each look is on record or counted, and a table that is refreshed fills no log.</summary>
public sealed class PeopleReadsTests : IAsyncLifetime
{
    private BrokerHarness _broker = null!;
    private PeopleActions _actions = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerHarness.StartAsync();
        _actions = new(_broker.Store, _broker.Time);
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task Looking_again_within_a_minute_is_counted_and_the_counts_are_right()
    {
        for (var i = 0; i < 100; i++)
        {
            await LookAsync("ada", "ListLeases", "?agent=triage");
            await LookAsync("bob", "ListLeases", "?agent=triage");
        }

        await LookAsync("ada", "FindRevocation");
        await LookAsync("ada", "FindRevocation");
        Assert.Equal(3, (await _broker.EventsAsync(AdminAction.TypeName)).Count);

        await _actions.FlushAsync(CancellationToken.None);
        await _actions.FlushAsync(CancellationToken.None);
        var counted = await _broker.EventsAsync(AdminReadsCounted.TypeName);

        Assert.Equal(
            [("ada", 100), ("bob", 99)],
            counted
                .Select(e =>
                    (
                        e.GetProperty("actor").GetProperty("subject").GetString(),
                        e.GetProperty("details").GetProperty("total").GetInt32()
                    )
                )
                .Order()
        );
        Assert.Equal(
            """{"FindRevocation":1,"ListLeases":99}""",
            counted
                .Single(e => e.GetRawText().Contains("ada", StringComparison.Ordinal))
                .GetProperty("details")
                .GetProperty("byCall")
                .GetRawText()
        );
    }

    [Fact]
    public async Task Looking_at_something_else_or_a_minute_later_is_on_record_by_itself()
    {
        await LookAsync("ada", "ListLeases", "?agent=triage");
        await LookAsync("ada", "ListLeases", "?agent=payer");
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        await LookAsync("ada", "ListLeases", "?agent=triage");

        Assert.Equal(
            ["?agent=triage", "?agent=payer", "?agent=triage"],
            (await _broker.EventsAsync(AdminAction.TypeName)).Select(e =>
                e.GetProperty("details").GetProperty("query").GetString()
            )
        );
    }

    [Fact]
    public async Task A_flood_of_different_looks_is_bounded()
    {
        for (var i = 0; i < 200; i++)
        {
            await LookAsync("ada", "ListLeases", $"?task={i}");
        }

        await _actions.FlushAsync(CancellationToken.None);
        Assert.Equal(30, (await _broker.EventsAsync(AdminAction.TypeName)).Count);
        Assert.Equal(
            170,
            Assert
                .Single(await _broker.EventsAsync(AdminReadsCounted.TypeName))
                .GetProperty("details")
                .GetProperty("total")
                .GetInt32()
        );
    }

    [Fact]
    public async Task A_refused_call_is_on_record_each_time_though_its_caller_hung_up()
    {
        for (var i = 0; i < 3; i++)
        {
            await _actions.RecordRefusedAsync(Person("ada", "ListLeases"), new(RefusalCode.RoleMissing, "no role"));
        }

        Assert.Equal(3, (await _broker.EventsAsync(AdminAction.TypeName)).Count);
    }

    private ValueTask LookAsync(string subject, string call, string query = "") =>
        _actions.RecordAsync(Person(subject, call), new QueryString(query), CancellationToken.None);

    private static CallingPerson Person(string subject, string call) =>
        new(
            new()
            {
                Issuer = "https://people.example",
                Subject = subject,
                Roles = new HashSet<PersonRole>(),
                Groups = [],
                ProofExpiresAt = DateTimeOffset.MaxValue,
                ProofHash = "hash",
            },
            BrokerHarness.Call,
            call
        );
}
