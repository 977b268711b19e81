using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.Requests;
using CredBroker.Testing.Broker;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Issuing;

/// <summary>What is issued waits for what is to be revoked at the same backend, and for nothing else.</summary>
public sealed class RevocationPaceTests
{
    private static readonly TimeSpan TooLate = RevocationPace.Late + TimeSpan.FromMilliseconds(1);
    private readonly FakeTimeProvider _time = new();
    private readonly RevocationPace _pace;
    private int _asked;

    public RevocationPaceTests() => _pace = new(_time);

    [Fact]
    public async Task While_revocations_are_behind_one_secret_is_issued_for_every_two_of_them()
    {
        _pace.Begin("db", TooLate);
        var asked = Enumerable.Range(0, 3).Select(_ => Ask("db")).ToList();
        for (var issued = 1; issued <= 3; issued++)
        {
            _pace.End("db");
            Assert.Equal(issued - 1, asked.Count(who => who.IsCompleted));
            _pace.End("db");
            Assert.True(await asked[issued - 1]);
            Assert.Equal(issued, asked.Count(who => who.IsCompleted));
        }

        // While nobody asked, one share was kept and no more.
        for (var i = 0; i < 10; i++)
        {
            _pace.End("db");
        }

        Assert.True(Ask("db").IsCompleted);
        Assert.False(Ask("db").IsCompleted);
    }

    [Fact]
    public async Task Nothing_waits_where_revocations_come_in_time()
    {
        _pace.Begin("db", RevocationPace.Late);
        _pace.Begin("other", TooLate);

        Assert.True(Ask("db").IsCompleted);
        var waits = Ask("other");
        Assert.False(waits.IsCompleted);

        // Nor where no turn was late for a while.
        _time.Advance(RevocationPace.Lasts);
        Assert.True(await waits);
        Assert.True(Ask("other").IsCompleted);
    }

    [Fact]
    public async Task Who_would_wait_for_long_is_refused()
    {
        _pace.Begin("db", TooLate);
        var waits = Ask("db");
        for (var passed = TimeSpan.Zero; passed < RevocationPace.LongestWait; passed += RevocationPace.Lasts / 2)
        {
            Assert.False(waits.IsCompleted);
            _pace.Begin("db", TooLate);
            _time.Advance(RevocationPace.Lasts / 2);
        }

        // Whoever waits looks at the time again by itself, and may have set its timer only now.
        while (!waits.IsCompleted)
        {
            _pace.Begin("db", TooLate);
            _time.Advance(RevocationPace.Lasts / 2);
            await Task.Yield();
        }

        Assert.False(await waits);

        // Whoever gave up takes nobody's share.
        using var gone = new CancellationTokenSource();
        var cancelled = _pace.AwaitAsync("db", Identity("gone"), gone.Token).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => cancelled);
        _pace.Begin("db", TooLate);
        var next = Ask("db");
        _pace.End("db");
        _pace.End("db");
        Assert.True(await next);
    }

    [Fact]
    public async Task One_who_asks_for_very_much_waits_once_and_few_wait_at_all()
    {
        _pace.Begin("db", TooLate);
        var first = Ask("db", "greedy");
        Assert.False(await Ask("db", "greedy"));
        var others = Enumerable.Range(1, RevocationPace.MostWaiting - 1).Select(_ => Ask("db")).ToList();
        Assert.False(await Ask("db"));

        _pace.End("db");
        _pace.End("db");
        Assert.True(await first);
        var next = Ask("db", "greedy");
        Assert.False(next.IsCompleted);

        // In the order in which they came, also where the time that one waits is looked at again meanwhile.
        _pace.Begin("db", TooLate);
        _time.Advance(RevocationPace.Lasts / 2);
        _pace.Begin("db", TooLate);
        _time.Advance(RevocationPace.Lasts * 0.9);
        foreach (var other in others)
        {
            Assert.False(next.IsCompleted);
            _pace.End("db");
            _pace.End("db");
            Assert.True(await other);
        }
    }

    [Fact]
    public async Task What_ended_half_a_second_ago_and_waits_for_its_turn_slows_down_its_own_backend_alone()
    {
        await using var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(HarnessPolicy.WithOtherDatabase());
        var leases = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => broker.IssueAsync()));
        var (atVault, places) = (new TaskCompletionSource(), new SemaphoreSlim(0));
        broker.Issuer.BeforeRevoke = _ =>
        {
            atVault.TrySetResult();
            return places.WaitAsync();
        };
        broker.Time.Advance(leases.Max(lease => lease.ExpiresAt)!.Value + TooLate - broker.Time.GetUtcNow());
        await broker.Expiry.RunAsync(CancellationToken.None);
        await broker.Retry.PassAsync(CancellationToken.None);
        await atVault.Task;

        var asked = broker.IssueAsync();
        await broker.IssueAsync(BrokerHarness.Command(credential: "other"));
        Assert.False(asked.IsCompleted);
        places.Release(2);
        await asked;

        var refused = broker.RefusedAsync(BrokerHarness.Command());
        while (!refused.IsCompleted)
        {
            broker.Pace.Begin(leases[0].Grant.Entry.Backend, TooLate);
            await Task.Yield();
        }

        Assert.Equal((RefusalCode.RevocationFirst, "CB4019"), ((await refused).Code, (await refused).CodeText));
        Assert.NotNull((await refused).RetryAfter);
        places.Release(100);
    }

    private static WorkloadIdentity Identity(string instance) =>
        new()
        {
            Proof = ProofMethod.Oidc,
            Issuer = "https://idp.example",
            Subject = "agent",
            Workload = "agent",
            Instance = instance,
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "",
        };

    private Task<bool> Ask(string backend, string? instance = null) =>
        _pace.AwaitAsync(backend, Identity(instance ?? $"{_asked++}"), CancellationToken.None).AsTask();
}
