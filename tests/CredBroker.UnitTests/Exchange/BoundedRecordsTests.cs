using System.Text.Json;
using CredBroker.Core.Callers;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Exchange;

/// <summary>How much of the store's disk those may fill whom nobody admits.</summary>
public sealed class BoundedRecordsTests : IAsyncLifetime
{
    private const int Megabyte = 1024 * 1024;
    private static readonly ToolCall Long = new(
        "write",
        JsonElement.Parse($$"""{"text":"{{new string('x', 32_000)}}"}""")
    );

    private static readonly WorkloadIdentity Caller = new()
    {
        Proof = ProofMethod.Oidc,
        Issuer = "https://idp.example",
        Subject = "hostile",
        Workload = "hostile",
        Instance = "1",
        ProofExpiresAt = DateTimeOffset.MaxValue,
        ProofHash = "hash",
    };

    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task One_callers_denials_fill_no_more_than_a_megabyte_a_minute_and_the_rest_is_counted()
    {
        var denied = BrokerHarness.Command(workload: "helper");
        denied = denied with { Request = denied.Request with { ToolCall = Long } };
        const int Denials = 100;
        for (var i = 0; i < Denials; i++)
        {
            Assert.Equal(RefusalCode.NoRuleAllows, (await _broker.RefusedAsync(denied)).Code);
        }

        var recorded = await _broker.EventsAsync("request.denied");
        Assert.InRange(recorded.Sum(item => item.GetRawText().Length), Megabyte / 2, Megabyte);
        await _broker.RefusedCalls.FlushAsync(CancellationToken.None);
        Assert.Equal(Denials - recorded.Count, await CountedAsync());

        // Each minute, and each caller, has its own.
        await _broker.RefusedAsync(BrokerHarness.Command(workload: "stranger"));
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        await _broker.RefusedAsync(denied);
        Assert.Equal(recorded.Count + 2, (await _broker.EventsAsync("request.denied")).Count);
    }

    [Fact]
    public async Task One_callers_denials_fill_no_more_than_64_megabytes_a_day_and_the_rest_is_counted()
    {
        long recorded = 0;
        var denials = 0;
        for (var minute = 0; minute < 24 * 60; minute++)
        {
            // As many of the largest as a minute lets through, and one more.
            for (var i = 0; i < 17; i++)
            {
                denials++;
                recorded += _broker.RefusedCalls.IsRecorded(Caller, 64 * 1024) ? 64 * 1024 : 0;
            }

            _broker.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.InRange(recorded, 32 * Megabyte, 64 * Megabyte);
        await _broker.RefusedCalls.FlushAsync(CancellationToken.None);
        Assert.Equal(denials - (recorded / (64 * 1024)), await CountedAsync());

        // What it has spent is not forgotten with an idle minute or two, and comes back by and by.
        _broker.Time.Advance(TimeSpan.FromMinutes(6));
        await _broker.RefusedCalls.FlushAsync(CancellationToken.None);
        Assert.InRange(Enumerable.Range(0, 16).Count(_ => _broker.RefusedCalls.IsRecorded(Caller, 64 * 1024)), 1, 3);
    }

    [Fact]
    public async Task One_callers_reports_fill_no_more_than_a_megabyte_a_minute_and_the_rest_is_refused_with_its_wait()
    {
        var lease = await _broker.IssueAsync();
        var outcomes = new List<LeaseOutcome>();
        for (var i = 0; i < 60; i++)
        {
            outcomes.Add(
                await _broker.Agents.ReportAsync(
                    FakeWorkloadVerifier.Token("triage"),
                    lease.Id,
                    new("succeeded", "", Long),
                    BrokerHarness.Call,
                    CancellationToken.None
                )
            );
        }

        var recorded = await _broker.EventsAsync("lease.outcome");
        Assert.InRange(recorded.Sum(item => item.GetRawText().Length), Megabyte / 2, Megabyte + (Megabyte / 8));
        Assert.Equal(recorded.Count, outcomes.OfType<LeaseOutcome.Found>().Count());
        Assert.All(
            outcomes.OfType<LeaseOutcome.Refused>(),
            refused =>
            {
                Assert.Equal(RefusalCode.Overloaded, refused.Refusal.Code);
                Assert.InRange(refused.Refusal.RetryAfter!.Value, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
            }
        );
    }

    [Fact]
    public void One_callers_reports_fill_no_more_than_64_megabytes_a_day()
    {
        var budget = new CallerBudget(perMinute: 120, _broker.Time, Megabyte);
        long taken = 0;
        TimeSpan? wait = null;
        for (var minute = 0; minute < 24 * 60; minute++)
        {
            for (var i = 0; i < 17; i++)
            {
                wait = budget.Take(Caller, 64 * 1024);
                taken += wait is null ? 64 * 1024 : 0;
            }

            _broker.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.InRange(taken, 32 * Megabyte, 64 * Megabyte);
        _broker.Time.Advance(wait!.Value);
        Assert.Null(budget.Take(Caller, 64 * 1024));
    }

    [Fact]
    public async Task Calls_of_nobody_are_recorded_up_to_one_rate_however_many_addresses_they_come_from()
    {
        const int Sources = 800;
        for (var i = 0; i < Sources; i++)
        {
            await _broker.RefusedCalls.RecordAsync(
                new(RefusalCode.TokenMalformed, "garbage"),
                new(null, $"192.0.{i / 256}.{i % 256}"),
                CancellationToken.None
            );
        }

        var recorded = (await _broker.EventsAsync("request.refused")).Count;
        Assert.Equal(600, recorded);
        await _broker.RefusedCalls.FlushAsync(CancellationToken.None);
        Assert.Equal(Sources - recorded, await CountedAsync());
    }

    private async Task<int> CountedAsync() =>
        Assert
            .Single(await _broker.EventsAsync("request.refused-counted"))
            .GetProperty("details")
            .GetProperty("total")
            .GetInt32();
}
