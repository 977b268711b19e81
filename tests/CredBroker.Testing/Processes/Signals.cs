namespace CredBroker.Testing.Processes;

/// <summary>What the process that started the tests left of the signals.</summary>
internal static class Signals
{
    /// <summary>
    /// Skips the calling test where the signal is ignored: <c>nohup</c> and a shell's background jobs do that, and
    /// every process that they start inherits it.
    /// </summary>
    /// <param name="signal">Its number: 1 HUP, 2 INT, 15 TERM.</param>
    public static void SkipWhenIgnored(int signal)
    {
        var ignored = File.Exists("/proc/self/status")
            ? File.ReadLines("/proc/self/status")
                .FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))
            : null;
        Assert.SkipWhen(
            ignored is not null && (Convert.ToUInt64(ignored[7..].Trim(), 16) >> (signal - 1) & 1) == 1,
            $"The tests were started with signal {signal} ignored, and every process that they start ignores it too."
        );
    }
}
