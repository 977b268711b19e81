namespace CredBroker.Testing.Processes;

/// <summary>Waits for what a server does in its own time, and fails when it does not.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task BecomesTrueAsync(Func<Task<bool>> condition, string what = "the condition")
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(started) < Limit,
                $"{what} did not come true within {Limit}"
            );
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
