namespace CredBroker.Server.Identity.Settings;

/// <summary>The directory behind an issuer of people's tokens.</summary>
internal sealed record ConfiguredDirectory(string Issuer, ScimOptions Scim);
