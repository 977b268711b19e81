namespace CredBroker.Client;

/// <summary>202 to <c>POST /v1/revocations</c>: the order is durable and being carried out.</summary>
/// <param name="RevocationId">Where its progress is asked for.</param>
public sealed record RevocationAcceptedResponse(string RevocationId);
