using CredBroker.Core.Issuing;
using CredBroker.Testing.Broker;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Issuing;

/// <summary>When a backend that does not answer is tried again.</summary>
public sealed class BulkheadTests
{
    private readonly JumpingTime _time = new(new FakeTimeProvider());

    [Fact]
    public async Task A_wall_clock_that_was_wrong_keeps_no_backend_paused()
    {
        var backend = new Bulkhead(limit: 4, lanes: 1, TimeSpan.FromSeconds(30), _time);
        _time.Offset = TimeSpan.FromDays(10);
        for (var i = 0; i < 3; i++)
        {
            using var pass = await backend.EnterAsync(0, CancellationToken.None);
            pass!.Say(answered: false);
        }

        Assert.Equal(TimeSpan.FromSeconds(2), backend.Paused);
        _time.Offset = TimeSpan.Zero;
        Assert.Equal(TimeSpan.FromSeconds(2), backend.Paused);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Null(backend.Paused);
        using var again = await backend.EnterAsync(0, CancellationToken.None);
        Assert.NotNull(again);
    }
}
