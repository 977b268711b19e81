namespace CredBroker.Client;

/// <summary>The person who applied a policy version.</summary>
/// <param name="Issuer">The issuer of their token.</param>
/// <param name="Subject">Their subject there.</param>
public sealed record PolicyAuthorResponse(string Issuer, string Subject);
