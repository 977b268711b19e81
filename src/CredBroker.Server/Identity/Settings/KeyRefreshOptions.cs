namespace CredBroker.Server.Identity.Settings;

/// <summary>When issuers' keys are fetched over HTTP.</summary>
public sealed class KeyRefreshOptions
{
    /// <summary>How often they are fetched again.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The least time between two fetches, however many tokens name an unknown key.</summary>
    public TimeSpan CoolDown { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest that one fetch may take.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long keys are used while the issuer cannot be reached.</summary>
    public TimeSpan MaxStale { get; set; } = TimeSpan.FromHours(24);
}
