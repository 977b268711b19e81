using System.Diagnostics;

namespace CredBroker.Core.Diagnostics;

/// <summary>
/// Where a test may stop the process between two steps, to kill it there. Exists in Debug builds only: in Release the
/// calls and the text are gone. The environment variable names the point; reaching it writes one line to standard error
/// and waits to be killed.
/// </summary>
public static class Failpoint
{
    /// <summary>Stops here for good if the environment names this point.</summary>
    [Conditional("DEBUG")]
    public static void Pass(string name)
    {
#if DEBUG
        if (Environment.GetEnvironmentVariable("CREDBROKER_FAILPOINT") == name)
        {
            Console.Error.WriteLine($"failpoint {name} reached");
            new ManualResetEventSlim().Wait();
        }
#endif
    }
}
