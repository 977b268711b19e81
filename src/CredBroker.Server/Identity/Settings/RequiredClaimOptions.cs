namespace CredBroker.Server.Identity.Settings;

/// <summary>
/// A claim that every token of an issuer must have; with neither values nor prefix it only has to be there.
/// </summary>
public sealed class RequiredClaimOptions
{
    /// <summary>The claim: a name or a JSON Pointer.</summary>
    public string Claim { get; set; } = "";

    /// <summary>The claim, or one element of it, equals one of these.</summary>
    public IList<string> Values { get; set; } = [];

    /// <summary>The claim, or one element of it, begins with this.</summary>
    public string Prefix { get; set; } = "";
}
