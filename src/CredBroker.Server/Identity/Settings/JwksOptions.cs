namespace CredBroker.Server.Identity.Settings;

/// <summary>Where an issuer's keys come from.</summary>
public sealed class JwksOptions
{
    /// <summary>The address of the JWKS; empty means the one that the discovery document names.</summary>
    public string Uri { get; set; } = "";

    /// <summary>A JWKS file instead of an address, read again when it changes.</summary>
    public string File { get; set; } = "";

    /// <summary>
    /// A PEM file with the certificate authorities that the issuer's server certificate must come from; empty means the
    /// system's.
    /// </summary>
    public string CaFile { get; set; } = "";

    /// <summary>A file holding the bearer token that the issuer asks for, read at each fetch.</summary>
    public string TokenFile { get; set; } = "";
}
