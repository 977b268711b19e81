namespace CredBroker.Core.Requests;

/// <summary>
/// A PKCS#10 request whose self-signature was checked at the edge. Only its key is used; its names are ignored.
/// </summary>
/// <param name="Pem">As the agent sent it.</param>
/// <param name="PublicKey">The subject public key info, DER.</param>
public sealed record CertificateSigningRequest(string Pem, ReadOnlyMemory<byte> PublicKey);
