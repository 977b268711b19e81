namespace CredBroker.Server.Identity.Settings;

/// <summary>One OIDC issuer.</summary>
public sealed class IssuerOptions
{
    /// <summary><c>Use</c> of an issuer whose tokens are workloads'.</summary>
    public const string ForWorkloads = "workloads";

    /// <summary><c>Use</c> of an issuer whose tokens are people's.</summary>
    public const string ForPeople = "people";

    /// <summary>The exact <c>iss</c> of its tokens, compared byte for byte.</summary>
    public string Issuer { get; set; } = "";

    /// <summary><c>workloads</c> or <c>people</c>.</summary>
    public string Use { get; set; } = ForWorkloads;

    /// <summary>
    /// The audience of its tokens; empty means <see cref="IdentityOptions.Audience"/>. People's must be their own.
    /// </summary>
    public string Audience { get; set; } = "";

    /// <summary>
    /// Whether tokens without any <c>aud</c> are taken, for an issuer that writes none (access tokens of Amazon Cognito).
    /// <see cref="RequiredClaims"/> must then say by their values which tokens are meant for this broker.
    /// </summary>
    public bool AcceptsNoAudience { get; set; }

    /// <summary>
    /// The SPIFFE trust domain that this issuer speaks for, where it is SPIRE's OIDC discovery provider; empty for any
    /// other. Its tokens are then JWT-SVIDs of that trust domain, and nothing else.
    /// </summary>
    public string TrustDomain { get; set; } = "";

    /// <summary>With a <see cref="TrustDomain"/>: as <see cref="TrustDomainOptions.PathTemplate"/>.</summary>
    public string PathTemplate { get; set; } = "";

    /// <summary>
    /// The signature algorithms accepted; empty means RSA, RSA-PSS and ECDSA with SHA-256, SHA-384 and SHA-512.
    /// </summary>
    public IList<string> Algorithms { get; set; } = [];

    /// <summary>Where its keys come from; without an address or file, from its discovery document.</summary>
    public JwksOptions Jwks { get; set; } = new();

    /// <summary>
    /// The claim that names the workload: a name, or a JSON Pointer such as <c>/kubernetes.io/serviceaccount/uid</c>.
    /// </summary>
    public string WorkloadClaim { get; set; } = "sub";

    /// <summary>
    /// The claim that names the running instance; empty where tokens tell none apart. If set, every token needs it.
    /// </summary>
    public string InstanceClaim { get; set; } = "";

    /// <summary>
    /// The top-level claims that policy may see. An approval is of them, too: one that a new token has anew (<c>jti</c>,
    /// <c>exp</c>, <c>iat</c>, <c>nbf</c>, <c>nonce</c>, <c>auth_time</c>, <c>sid</c>) is a fault.
    /// </summary>
    public IList<string> Claims { get; set; } = [];

    /// <summary>Claims that every token must have.</summary>
    public IList<RequiredClaimOptions> RequiredClaims { get; set; } = [];

    /// <summary>Claims that no token may have, as names or JSON Pointers.</summary>
    public IList<string> ForbiddenClaims { get; set; } = [];

    /// <summary>How far its clock and ours may differ, up to five minutes.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest life of a token that is accepted; null for any.</summary>
    public TimeSpan? MaxTokenLifetime { get; set; }

    /// <summary>People only: the claim that lists roles, such as <c>/realm_access/roles</c>.</summary>
    public string RolesClaim { get; set; } = "";

    /// <summary>People only: the claim that lists groups; empty for none.</summary>
    public string GroupsClaim { get; set; } = "";

    /// <summary>People only: how they log in with the command line.</summary>
    public LoginOptions Login { get; set; } = new();

    /// <summary>People only: the directory that is asked whether those of them who own processes are still there.</summary>
    public ScimOptions Scim { get; set; } = new();

    /// <summary>
    /// People only: for each of the broker's roles (<c>admin</c>, <c>approver</c>, <c>auditor</c>, <c>viewer</c>) the
    /// values of the roles claim that give it.
    /// </summary>
    public IDictionary<string, IList<string>> Roles { get; set; } =
        new Dictionary<string, IList<string>>(StringComparer.Ordinal);
}
