using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Tokens;

/// <summary>How long a token may live, the way Vault computes it.</summary>
internal static class TokenTtl
{
    /// <summary>
    /// The granted life from now on: the period if there is one, else what is asked for, else the default; never past
    /// the explicit maximum, nor (without a period) past the system's, both counted from the issue. Says so in a
    /// warning where it cuts.
    /// </summary>
    public static TimeSpan Grant(
        TimeSpan asked,
        TimeSpan period,
        TimeSpan explicitMaximum,
        DateTimeOffset issuedAt,
        DateTimeOffset now,
        List<string> warnings
    )
    {
        var ttl = (period.Ticks, asked.Ticks) switch
        {
            (> 0, _) => period,
            (_, > 0) => asked,
            _ => DevVaultDuration.SystemMaximum,
        };
        var maximum = (explicitMaximum.Ticks, period.Ticks) switch
        {
            (> 0, _) => explicitMaximum,
            (_, > 0) => TimeSpan.MaxValue,
            _ => DevVaultDuration.SystemMaximum,
        };
        if (maximum != TimeSpan.MaxValue && now + ttl > issuedAt + maximum)
        {
            if (now + ttl >= issuedAt + maximum + TimeSpan.FromSeconds(1))
            {
                warnings.Add(
                    $"TTL of \"{DevVaultDuration.ToText(ttl)}\" exceeded the effective max_ttl of \"{DevVaultDuration.ToText(maximum)}\"; TTL value is capped accordingly"
                );
            }

            ttl = issuedAt + maximum - now;
        }

        return ttl;
    }

    /// <summary>The smaller of two limits, where zero is no limit.</summary>
    public static TimeSpan Smaller(TimeSpan one, TimeSpan other)
    {
        if (one <= TimeSpan.Zero)
        {
            return other;
        }

        return other > TimeSpan.Zero && other < one ? other : one;
    }
}
