namespace CredBroker.Core.Identity;

/// <summary>
/// The key that a workload has proven to hold, by its thumbprint (RFC 7800 <c>cnf</c>). A thumbprint is public: it names
/// the key and proves nothing by itself.
/// </summary>
/// <param name="Kind">What the thumbprint was taken of.</param>
/// <param name="Thumbprint">SHA-256 as base64url without padding, 43 characters.</param>
public sealed record ConfirmationKey(ConfirmationKeyKind Kind, string Thumbprint);
