using System.Diagnostics;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>Waits for what another process does; the only clock here is the real one, and the limit is generous because the machine may be busy.</summary>
internal static class Eventually
{
    public static async Task IsTrueAsync(Func<Task<bool>> condition, string what, TimeSpan? limit = null)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed < (limit ?? TimeSpan.FromSeconds(45)), $"Not in time: {what}.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
