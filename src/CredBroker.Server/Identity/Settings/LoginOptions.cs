namespace CredBroker.Server.Identity.Settings;

/// <summary>
/// How people log in at an issuer of theirs with the command line. The broker tells anybody who asks, so nothing of it is
/// secret.
/// </summary>
public sealed class LoginOptions
{
    /// <summary>
    /// The public client that is registered at the issuer for the command line; empty where people bring tokens that
    /// they have from elsewhere.
    /// </summary>
    public string ClientId { get; set; } = "";

    /// <summary>
    /// The scopes to ask for; empty means <c>openid</c>. <c>offline_access</c> asks for a refresh token.
    /// </summary>
    public IList<string> Scopes { get; set; } = [];

    /// <summary>
    /// The resource to ask a token for (RFC 8707), for an issuer that picks the audience by it; empty for none.
    /// </summary>
    public string Resource { get; set; } = "";
}
