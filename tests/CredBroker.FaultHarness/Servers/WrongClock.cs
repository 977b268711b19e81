using System.Globalization;

namespace CredBroker.FaultHarness.Servers;

/// <summary>
/// The broker's wall clock, which can be told to be wrong: libfaketime stands between the process and the C library.
/// What counts how much time has passed stays right, as it does when an operator or a time server sets a clock.
/// </summary>
internal sealed class WrongClock
{
    private static readonly string[] Libraries =
    [
        .. new[] { "x86_64", "aarch64" }.Select(machine => $"/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1"),
        "/usr/lib64/faketime/libfaketimeMT.so.1",
    ];

    private readonly string _file;

    private WrongClock(string library, string file)
    {
        _file = file;
        Environment = new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = library,
            ["FAKETIME_TIMESTAMP_FILE"] = file,
            ["FAKETIME_CACHE_DURATION"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            ["NO_FAKE_STAT"] = "1",
        };
    }

    /// <summary>What a process is started with that is to have this clock.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>A clock that is right; null where libfaketime is not installed.</summary>
    public static WrongClock? Find(string folder)
    {
        if (Array.Find(Libraries, File.Exists) is not { } library)
        {
            return null;
        }

        var clock = new WrongClock(library, Path.Combine(folder, "clock"));
        clock.Set(TimeSpan.Zero);
        return clock;
    }

    /// <summary>Is off by so much within a second.</summary>
    public void Set(TimeSpan off)
    {
        // In one step: a half-written offset would be another one.
        var next = _file + ".next";
        File.WriteAllText(next, off.TotalSeconds.ToString("+0;-0;+0", CultureInfo.InvariantCulture) + "\n");
        File.Move(next, _file, overwrite: true);
    }
}
