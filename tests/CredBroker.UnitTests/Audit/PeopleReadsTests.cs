using System.Text.Json;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;
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
        _actions = new(_broker.Store, _broker.RefusedCalls, _broker.Time);
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
                .Single(e => e.GetProperty("actor").GetProperty("subject").GetString() == "ada")
                .GetProperty("details")
                .GetProperty("byCall")
                .GetRawText()
        );
    }

    [Fact]
    public async Task Counts_that_a_cancelled_write_kept_off_the_record_are_on_the_next()
    {
        foreach (var person in new[] { "ada", "bob", "eve" })
        {
            await LookAsync(person, "ListLeases");
            await LookAsync(person, "ListLeases");
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await _actions.FlushAsync(new CancellationToken(canceled: true))
        );
        await _actions.FlushAsync(CancellationToken.None);

        Assert.Equal(3, (await _broker.EventsAsync(AdminReadsCounted.TypeName)).Count);
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
    public async Task What_was_counted_says_what_was_looked_at()
    {
        var order = Ids.New(_broker.Time);
        for (var i = 0; i < 3; i++)
        {
            await _actions.RecordAsync(Person("ada", "findRevocation") with { About = order }, CancellationToken.None);
            await LookAsync("ada", "listLeases", "?agent=triage");
        }

        await _actions.FlushAsync(CancellationToken.None);
        Assert.Equal(
            $$"""[{"call":"findRevocation","id":"{{order}}","count":2},{"call":"listLeases","query":"?agent=triage","count":2}]""",
            Assert
                .Single(await _broker.EventsAsync(AdminReadsCounted.TypeName))
                .GetProperty("details")
                .GetProperty("reads")
                .GetRawText()
        );
        Assert.Contains(
            order,
            (await _broker.EventsAsync(AdminAction.TypeName))[0].GetProperty("details").GetRawText(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Different_looks_without_end_are_told_apart_within_bounds()
    {
        var query = "?agent=" + new string('…', 4096);
        for (var i = 0; i < 5_000; i++)
        {
            await LookAsync("ada", "listLeases", query + i);
        }

        await _actions.FlushAsync(CancellationToken.None);
        var details = Assert.Single(await _broker.EventsAsync(AdminReadsCounted.TypeName)).GetProperty("details");
        Assert.Equal(4_970, details.GetProperty("total").GetInt32());
        Assert.Equal(50, details.GetProperty("reads").GetArrayLength());
        Assert.InRange(details.GetRawText().Length, 1, 200_000);
    }

    [Fact]
    public async Task Exports_are_recorded_one_by_one_and_refused_where_they_are_too_many_for_that()
    {
        var auditor = Person("ada", "exportAudit");
        for (var i = 0; i < 120; i++)
        {
            Assert.Null(await _actions.RecordEachAsync(auditor, new QueryString(), CancellationToken.None));
        }

        var refused = await _actions.RecordEachAsync(auditor, new QueryString(), CancellationToken.None);
        Assert.Equal(RefusalCode.Overloaded, refused?.Code);
        Assert.Equal(TimeSpan.FromMinutes(1), refused?.RetryAfter);
        Assert.Equal(120, (await _broker.EventsAsync(AdminAction.TypeName)).Count);

        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(await _actions.RecordEachAsync(auditor, new QueryString(), CancellationToken.None));
    }

    [Fact]
    public async Task A_person_who_is_refused_without_end_is_counted()
    {
        for (var i = 0; i < 500; i++)
        {
            await _actions.RecordRefusedAsync(
                Person("eve", "orderRevocation"),
                new(RefusalCode.RoleMissing, "no role")
            );
        }

        await _actions.RecordRefusedAsync(Person("bob", "orderRevocation"), new(RefusalCode.RoleMissing, "no role"));
        await _broker.RefusedCalls.FlushAsync(CancellationToken.None);

        Assert.Equal(31, (await _broker.EventsAsync(AdminAction.TypeName)).Count);
        Assert.Equal(
            """{"total":470,"bySource":{"person:https://people.example#eve":470}}""",
            Assert
                .Single(await _broker.EventsAsync(RequestsRefusedCounted.TypeName))
                .GetProperty("details")
                .GetRawText()
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
