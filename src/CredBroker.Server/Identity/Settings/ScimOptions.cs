namespace CredBroker.Server.Identity.Settings;

/// <summary>The directory that is asked whether an issuer's people are still there (SCIM 2.0, RFC 7644).</summary>
public sealed class ScimOptions
{
    /// <summary>Its base address, under which it has <c>/Users</c>; empty where nobody is asked.</summary>
    public string Url { get; set; } = "";

    /// <summary>A file holding the bearer token that it asks for, read at each question.</summary>
    public string TokenFile { get; set; } = "";

    /// <summary>
    /// A PEM file with the certificate authorities that its certificate must come from; empty means the system's.
    /// </summary>
    public string CaFile { get; set; } = "";

    /// <summary>
    /// The attribute that holds the subject of a person's tokens: <c>id</c>, by which a user is read, or another, such as
    /// <c>externalId</c> or <c>userName</c>, by which users are filtered.
    /// </summary>
    public string Attribute { get; set; } = "externalId";

    /// <summary>How often it is asked about every owner.</summary>
    public TimeSpan Every { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How many owners may be gone at once though they are more than half of them. Beyond that its word is doubted, and
    /// nobody is retired.
    /// </summary>
    public int MaxGone { get; set; } = 1;
}
