namespace CredBroker.FaultHarness;

/// <summary>Waiting that ends at once, and quietly, when the run does.</summary>
internal static class Pause
{
    public static async Task ForAsync(TimeSpan time, CancellationToken stop)
    {
        try
        {
            await Task.Delay(time, TimeProvider.System, stop);
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }
}
