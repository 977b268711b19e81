using System.Text.Json;
using CredBroker.Client;
using CredBroker.IntegrationTests.Cli;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Client;

/// <summary>A lease of ten minutes on a clock of ours, at a server that answers as the test says.</summary>
public sealed class CredentialLeaseTests : IAsyncLifetime
{
    private const string Renewal = $"POST /v1/credentials/{CliFixture.LeaseId}/renew";
    private const string Release = $"DELETE /v1/credentials/{CliFixture.LeaseId}";
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(10);
    private static readonly ExchangeRequest Request = new()
    {
        Task = new()
        {
            Id = "run-17",
            Process = "invoice-triage",
            Purpose = "find duplicates",
        },
        Credential = "billing-readonly",
        Actions = ["read"],
    };

    private readonly FakeTimeProvider _time = new(CliFixture.Later);
    private StubBroker _broker = null!;
    private BrokerConnection _connection = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await StubBroker.StartAsync();
        _broker.OnStatus(Release, 204);
        _connection = new(_broker.Address, TokenSource.From(_ => new("a.b.c")));
    }

    public async ValueTask DisposeAsync()
    {
        _connection.Dispose();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task It_is_renewed_when_two_thirds_of_its_life_are_over_and_its_life_begins_anew()
    {
        await using var lease = await AcquireAsync();
        RenewsFor(Life);

        _time.Advance(TimeSpan.FromSeconds(399));
        Assert.Equal(0, Asked(Renewal));
        _time.Advance(TimeSpan.FromSeconds(1));
        await RenewedUntilAsync(lease, Start + TimeSpan.FromSeconds(1000));

        _time.Advance(TimeSpan.FromSeconds(399));
        Assert.False(lease.Ending.IsCancellationRequested);
        Assert.Equal(1, Asked(Renewal));
        _time.Advance(TimeSpan.FromSeconds(1));
        await RenewedUntilAsync(lease, Start + TimeSpan.FromSeconds(1400));
        Assert.Null(lease.RenewalFailure);
    }

    [Fact]
    public async Task Ending_fires_at_70_percent_when_the_broker_could_not_renew_it_and_stays_fired()
    {
        await using var lease = await AcquireAsync();
        _broker.OnProblem(Renewal, "CB5001", "The store does not answer.", retryAfter: 5);

        _time.Advance(TimeSpan.FromSeconds(400));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(lease.RenewalFailure is not null));
        _time.Advance(TimeSpan.FromSeconds(19.9));
        Assert.False(lease.Ending.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(lease.Ending.IsCancellationRequested);

        RenewsFor(Life);
        await Eventually.BecomesTrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(lease.ExpiresAt > Start + Life);
        });
        Assert.True(lease.Ending.IsCancellationRequested);
        Assert.Null(lease.RenewalFailure);
    }

    [Fact]
    public async Task A_refusal_is_final_and_Ending_still_fires_at_70_percent()
    {
        await using var lease = await AcquireAsync();
        _broker.OnProblem(Renewal, "CB2002", "A rule denies this.");

        _time.Advance(TimeSpan.FromSeconds(400));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(lease.RenewalFailure is not null));
        Assert.False(lease.Ending.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.True(lease.Ending.IsCancellationRequested);

        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(1, Asked(Renewal));
        Assert.Equal("CB2002", Assert.IsType<BrokerProblemException>(lease.RenewalFailure).Code);
    }

    [Fact]
    public async Task A_renewal_that_hangs_does_not_keep_Ending_from_firing_nor_a_dispose_from_releasing()
    {
        var asked = Hangs(Renewal);
        var lease = await AcquireAsync();

        _time.Advance(TimeSpan.FromSeconds(400));
        await asked;
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.True(lease.Ending.IsCancellationRequested);

        await lease.DisposeAsync();
        Assert.Equal(LeaseStates.Revoked, lease.Release?.State);
    }

    [Fact]
    public async Task A_renewal_that_breaks_off_when_the_lease_is_disposed_does_not_keep_it_from_being_released()
    {
        var (calls, asked) = (0, new TaskCompletionSource());
        using var connection = new BrokerConnection(
            _broker.Address,
            TokenSource.From(async stopped =>
            {
                if (++calls == 2)
                {
                    asked.SetResult();
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopped)
                        .ContinueWith(_ => { }, TaskScheduler.Default);
                    throw new HttpRequestException("The connection was cut off.");
                }

                return "a.b.c";
            })
        );
        var lease = await AcquireAsync(over: connection);
        _time.Advance(TimeSpan.FromSeconds(400));
        await asked.Task;

        await lease.DisposeAsync();

        Assert.Null(lease.ReleaseFailure);
        Assert.Equal(LeaseStates.Revoked, lease.Release?.State);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(60 * 24 * 60 * 60)]
    public async Task A_time_to_release_that_cannot_be_waited_for_is_refused_before_there_is_a_secret(int seconds)
    {
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() =>
            AcquireAsync(new() { ReleaseTimeout = TimeSpan.FromSeconds(seconds) }).AsTask()
        );
        Assert.Equal(0, Asked("POST /v1/credentials"));
    }

    [Fact]
    public async Task A_renewal_that_lengthens_nothing_is_none()
    {
        await using var lease = await AcquireAsync();
        Renews(() => Start + Life);

        _time.Advance(TimeSpan.FromSeconds(400));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(Asked(Renewal) > 0));
        _time.Advance(TimeSpan.FromSeconds(20));

        Assert.True(lease.Ending.IsCancellationRequested);
        Assert.Equal(Start + Life, lease.ExpiresAt);
    }

    [Fact]
    public async Task Without_renewal_nothing_is_asked_and_Ending_fires_in_time()
    {
        await using var lease = await AcquireAsync(new() { Renew = false });

        _time.Advance(TimeSpan.FromSeconds(419));
        Assert.False(lease.Ending.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.True(lease.Ending.IsCancellationRequested);
        Assert.Equal(0, Asked(Renewal));
    }

    [Fact]
    public async Task A_life_longer_than_timers_can_wait_ends_in_time()
    {
        await using var lease = await AcquireAsync(new() { Renew = false }, TimeSpan.FromDays(100));

        for (var day = 0; day < 70; day++)
        {
            Assert.False(lease.Ending.IsCancellationRequested);
            _time.Advance(TimeSpan.FromDays(1));
        }

        Assert.True(lease.Ending.IsCancellationRequested);
    }

    [Fact]
    public async Task A_callback_of_Ending_that_throws_harms_nothing()
    {
        await using var lease = await AcquireAsync(new() { Renew = false });
        using var callback = lease.Ending.Register(() => throw new InvalidOperationException("the caller's"));

        _time.Advance(Life);

        Assert.True(lease.Ending.IsCancellationRequested);
    }

    [Fact]
    public async Task Disposing_gives_the_secret_back_once_and_stops_renewing()
    {
        var lease = await AcquireAsync();
        Assert.Equal(CliFixture.Database, lease.GetSecret<DatabaseSecret>());

        await lease.DisposeAsync();
        await lease.DisposeAsync();
        _time.Advance(Life);

        Assert.Equal(LeaseStates.Revoked, lease.Release?.State);
        Assert.Equal((0, 1), (Asked(Renewal), Asked(Release)));
        Assert.Throws<ObjectDisposedException>(() => lease.GetSecret<DatabaseSecret>());
        Assert.False(lease.Ending.IsCancellationRequested);
    }

    [Fact]
    public async Task Disposing_never_hides_the_exception_that_ended_the_work()
    {
        _broker.OnProblem(Release, "CB5001", "The store does not answer.", retryAfter: 5);
        CredentialLease? held = null;

        await Assert.ThrowsAsync<FormatException>(async () =>
        {
            await using var lease = held = await AcquireAsync();
            throw new FormatException("the work's own");
        });

        Assert.Equal("CB5001", Assert.IsType<BrokerProblemException>(held?.ReleaseFailure).Code);
        Assert.Null(held?.Release);
    }

    [Fact]
    public async Task Disposing_waits_no_longer_than_it_is_told()
    {
        var asked = Hangs(Release);
        var lease = await AcquireAsync(new() { ReleaseTimeout = TimeSpan.FromSeconds(7) });

        var disposing = lease.DisposeAsync().AsTask();
        await asked;
        _time.Advance(TimeSpan.FromSeconds(6.9));
        Assert.False(disposing.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await disposing.WaitAsync(TimeSpan.FromSeconds(60));

        Assert.IsType<OperationCanceledException>(lease.ReleaseFailure, exactMatch: false);
    }

    [Fact]
    public async Task Disposing_waits_no_longer_even_for_a_token_source_that_hears_nothing()
    {
        var (calls, forever) = (0, new TaskCompletionSource<string>());
        using var connection = new BrokerConnection(
            _broker.Address,
            TokenSource.From(_ => calls++ == 0 ? new("a.b.c") : new(forever.Task))
        );
        var lease = await AcquireAsync(over: connection);

        var disposing = lease.DisposeAsync().AsTask();
        _time.Advance(new CredentialLeaseOptions().ReleaseTimeout);
        await disposing.WaitAsync(TimeSpan.FromSeconds(60));

        Assert.IsType<OperationCanceledException>(lease.ReleaseFailure, exactMatch: false);
    }

    [Fact]
    public async Task Releasing_tells_its_failure_and_may_be_tried_again()
    {
        var lease = await AcquireAsync();
        _broker.OnProblem(Release, "CB5001", "The store does not answer.", retryAfter: 5);
        await Assert.ThrowsAsync<BrokerProblemException>(() => lease.ReleaseAsync().AsTask());
        _broker.OnStatus(Release, 204);

        Assert.Equal(LeaseStates.Revoked, (await lease.ReleaseAsync()).State);
        await lease.DisposeAsync();

        Assert.Equal(2, Asked(Release));
        Assert.Null(lease.ReleaseFailure);
    }

    [Fact]
    public async Task A_secret_of_another_kind_is_said_and_nothing_prints_or_serializes_the_secret()
    {
        await using var lease = await AcquireAsync();

        var fault = Assert.Throws<InvalidCastException>(() => lease.GetSecret<TokenSecret>());

        Assert.Equal("This credential is a DatabaseSecret, not a TokenSecret.", fault.Message);
        Assert.DoesNotContain(
            "hunter2",
            lease
                + fault.ToString()
                + lease.GetSecret<SecretResponse>()
                + JsonSerializer.Serialize(
                    new
                    {
                        lease.LeaseId,
                        lease.Decision,
                        lease.ExpiresAt,
                    }
                ),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            typeof(CredentialLease).GetProperties(),
            property => property.PropertyType.IsAssignableTo(typeof(SecretResponse))
        );
    }

    private DateTimeOffset Start => CliFixture.Later;

    private ValueTask<CredentialLease> AcquireAsync(
        CredentialLeaseOptions? options = null,
        TimeSpan? life = null,
        BrokerConnection? over = null
    )
    {
        _broker.On(
            "POST /v1/credentials",
            new()
            {
                LeaseId = CliFixture.LeaseId,
                Secret = CliFixture.Database,
                ExpiresAt = Start + (life ?? Life),
                Decision = new("d-1", 3),
            },
            BrokerJson.Default.ExchangeResponse,
            201
        );
        return new AgentClient(over ?? _connection, _time).AcquireAsync(Request, options);
    }

    /// <summary>The stub lengthens the lease by this from now on.</summary>
    private void RenewsFor(TimeSpan life) => Renews(() => _time.GetUtcNow() + life);

    private void Renews(Func<DateTimeOffset> until) =>
        _broker.On(
            Renewal,
            context =>
                context.Response.WriteAsJsonAsync(
                    CliFixture.Lease() with
                    {
                        ExpiresAt = until(),
                    },
                    BrokerJson.Default.LeaseResponse
                )
        );

    /// <summary>The stub never answers this call; completes when it was asked.</summary>
    private Task Hangs(string call)
    {
        var asked = new TaskCompletionSource();
        _broker.On(
            call,
            async context =>
            {
                asked.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            }
        );
        return asked.Task;
    }

    private static Task RenewedUntilAsync(CredentialLease lease, DateTimeOffset end) =>
        Eventually.BecomesTrueAsync(() => Task.FromResult(lease.ExpiresAt == end), $"renewed until {end:O}");

    private int Asked(string call) => _broker.Calls.Count(asked => asked.Call == call);
}
