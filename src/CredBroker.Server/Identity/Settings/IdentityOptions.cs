namespace CredBroker.Server.Identity.Settings;

/// <summary>The section <c>Identity</c>: whose tokens are accepted, and as whom.</summary>
public sealed class IdentityOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Identity";

    /// <summary>The audience that workloads' tokens must carry, unless an entry sets its own.</summary>
    public string Audience { get; set; } = "";

    /// <summary>OIDC issuers: at most one entry for workloads and one for people each.</summary>
    public IList<IssuerOptions> Issuers { get; set; } = [];

    /// <summary>SPIFFE trust domains, one entry each.</summary>
    public IList<TrustDomainOptions> TrustDomains { get; set; } = [];

    /// <summary>When issuers' keys are fetched.</summary>
    public KeyRefreshOptions KeyRefresh { get; set; } = new();

    /// <summary>
    /// Every fault of these settings, with what to write instead; empty when there is none. Dev mode permits plain http
    /// on loopback.
    /// </summary>
    public IReadOnlyList<string> Validate(bool devMode) => IdentitySettings.Read(this, devMode).Faults;
}
