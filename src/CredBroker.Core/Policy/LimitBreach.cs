namespace CredBroker.Core.Policy;

/// <summary>Which limit a request would break.</summary>
/// <param name="Limit">The limit.</param>
/// <param name="Kind">Which of its bounds.</param>
/// <param name="RetryAfter">When the bound has room again by the passing of time alone; null where that is not known.</param>
public sealed record LimitBreach(PolicyLimit Limit, LimitKind Kind, TimeSpan? RetryAfter)
{
    /// <summary>For the auditor, and as the reason of a quarantine.</summary>
    public string Explanation =>
        Kind switch
        {
            LimitKind.Active => $"limit {Limit.Id}: {Limit.MaxActive} active{Per}",
            LimitKind.Issued => $"limit {Limit.Id}: {Rate(Limit.MaxIssued!)} issued{Per}",
            _ => $"limit {Limit.Id}: more than {Rate(Limit.MaxDenied!)} denied{Per}",
        };

    /// <summary>The breaches that a limit can have: one for each of its bounds.</summary>
    public static IEnumerable<LimitBreach> Possible(PolicyLimit limit) =>
        Enum.GetValues<LimitKind>()
            .Where(kind =>
                kind switch
                {
                    LimitKind.Active => limit.MaxActive is not null,
                    LimitKind.Issued => limit.MaxIssued is not null,
                    _ => limit.MaxDenied is not null,
                }
            )
            .Select(kind => new LimitBreach(limit, kind, null));

    private string Per => $", per {Limit.Per.ToString().ToLowerInvariant()}";

    private static string Rate(LimitRate rate) => $"{rate.Count} in {(long)rate.Per.TotalSeconds} s";
}

/// <summary>A bound of a limit.</summary>
public enum LimitKind
{
    /// <summary>How many leases are not over.</summary>
    Active,

    /// <summary>How many opened within a time.</summary>
    Issued,

    /// <summary>How many requests were denied within a time.</summary>
    Denied,
}
