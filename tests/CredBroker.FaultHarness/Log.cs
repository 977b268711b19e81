namespace CredBroker.FaultHarness;

/// <summary>What happens, line by line with its time, on standard error; the table alone goes to standard output.</summary>
internal static class Log
{
    public static void Line(string text) =>
        Console.Error.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {text}");
}
