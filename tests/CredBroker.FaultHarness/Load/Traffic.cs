using CredBroker.Client;

namespace CredBroker.FaultHarness.Load;

/// <summary>Calls that may fail in every way in which a broker that is being broken fails.</summary>
internal static class Traffic
{
    private const string FaultInBroker = "CB6999";

    /// <summary>
    /// Makes the call and counts its end: what the broker refused, that it was not reached, that nobody waited longer.
    /// Anything else is a fault of the broker or of the harness, and ends the run.
    /// </summary>
    public static async Task<T?> TryAsync<T>(
        Tally tally,
        string group,
        TimeSpan patience,
        Func<CancellationToken, Task<T>> call
    )
        where T : class
    {
        using var limit = new CancellationTokenSource(patience, TimeProvider.System);
        try
        {
            var answer = await call(limit.Token);
            tally.Add(group, "answered");
            return answer;
        }
        catch (BrokerProblemException refused)
        {
            tally.Add(group, refused.Code ?? $"HTTP {refused.Status}");
            if (refused.Code == FaultInBroker)
            {
                Log.Line($"{group}: {refused.Message}, trace {refused.Problem.TraceId}");
            }
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            tally.Add(group, "connection lost");
        }
        catch (OperationCanceledException)
        {
            tally.Add(group, "hung up");
        }

        return null;
    }
}
