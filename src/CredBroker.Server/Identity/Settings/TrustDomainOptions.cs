namespace CredBroker.Server.Identity.Settings;

/// <summary>One SPIFFE trust domain.</summary>
public sealed class TrustDomainOptions
{
    /// <summary>Its name, such as <c>agents.example</c>.</summary>
    public string Name { get; set; } = "";

    /// <summary>Its trust bundle (a SPIFFE bundle document), read again when it changes.</summary>
    public string BundleFile { get; set; } = "";

    /// <summary>
    /// Where workload and instance stand in its paths, such as <c>/agents/{workload}/{instance}</c>; empty means the
    /// whole path is the workload.
    /// </summary>
    public string PathTemplate { get; set; } = "";

    /// <summary>The audience of its JWT-SVIDs; empty means <see cref="IdentityOptions.Audience"/>.</summary>
    public string Audience { get; set; } = "";

    /// <summary>How far its clock and ours may differ, up to five minutes.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest life of a JWT-SVID that is accepted; null for any.</summary>
    public TimeSpan? MaxTokenLifetime { get; set; }
}
