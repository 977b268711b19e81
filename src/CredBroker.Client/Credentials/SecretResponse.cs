using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>
/// A secret on the wire; <c>type</c> names its schema. Every kind prints as redacted: only its members give it away.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(DatabaseSecret), "database")]
[JsonDerivedType(typeof(CertificateSecret), "pki")]
[JsonDerivedType(typeof(KeyValueSecret), "kv")]
[JsonDerivedType(typeof(TokenSecret), "token")]
[JsonDerivedType(typeof(DynamicSecret), "dynamic")]
public abstract record SecretResponse
{
    /// <summary>The kind of secret, and nothing of it.</summary>
    public sealed override string ToString() => $"{GetType().Name} [redacted]";
}
