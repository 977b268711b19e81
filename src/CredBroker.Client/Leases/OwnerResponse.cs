namespace CredBroker.Client;

/// <summary>A process's owner.</summary>
/// <param name="Issuer">The person's issuer.</param>
/// <param name="Subject">The person's subject at that issuer.</param>
/// <param name="Contact">How to reach them.</param>
public sealed record OwnerResponse(string Issuer, string Subject, string Contact);
