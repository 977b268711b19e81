using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>
/// Templates for a certificate's names, such as <c>{{identity.spiffeId}}</c>. Only identity fields can be named; never
/// anything from the CSR. Null means that the certificate carries no name of that kind.
/// </summary>
public sealed record CertificateNames(string? Uri, string? Dns, string? CommonName);
