namespace CredBroker.Server.Identity.Keys;

/// <summary>When one source's keys are read.</summary>
/// <param name="Interval">How often they are read again.</param>
/// <param name="CoolDown">The least time between two reads that tokens ask for.</param>
/// <param name="Timeout">The longest that one read may take.</param>
/// <param name="MaxStale">How long keys are used while they cannot be read again; null for as long as it takes.</param>
internal sealed record KeyTiming(TimeSpan Interval, TimeSpan CoolDown, TimeSpan Timeout, TimeSpan? MaxStale)
{
    private static readonly TimeSpan FirstCoolDown = TimeSpan.FromSeconds(1);

    /// <summary>Files cost next to nothing to read; a missing one never takes the last keys away.</summary>
    public static readonly KeyTiming ForFiles = new(
        TimeSpan.FromSeconds(5),
        TimeSpan.FromSeconds(1),
        TimeSpan.FromSeconds(5),
        null
    );

    /// <summary>
    /// The cool-down while there are no keys. Nothing can be verified without them, so they are tried for more eagerly,
    /// and less so with each failure: an issuer that is down must not be met by every broker each second.
    /// </summary>
    public TimeSpan CoolDownAfter(int failures)
    {
        var eager = FirstCoolDown * Math.Pow(2, Math.Clamp(failures - 1, 0, 10));
        return eager < CoolDown ? eager : CoolDown;
    }
}
