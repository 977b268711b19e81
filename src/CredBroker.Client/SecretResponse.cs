using System.Text.Json;
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

/// <summary><c>database</c>: a user made for this lease alone.</summary>
public sealed record DatabaseSecret : SecretResponse
{
    /// <summary>The user; its name carries the lease id.</summary>
    public required string Username { get; init; }

    /// <summary>The password.</summary>
    public required string Password { get; init; }

    /// <summary>Where to log in, where the catalogue says so.</summary>
    public DatabaseConnectionResponse? Connection { get; init; }
}

/// <summary>Where a database user logs in.</summary>
/// <param name="Host">Host name or address.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Database">The database's name.</param>
/// <param name="Sslmode">As libpq's <c>sslmode</c>.</param>
public sealed record DatabaseConnectionResponse(string Host, int Port, string Database, string Sslmode);

/// <summary><c>pki</c>: a certificate.</summary>
public sealed record CertificateSecret : SecretResponse
{
    /// <summary>The certificate as PEM.</summary>
    public required string Certificate { get; init; }

    /// <summary>The issuing certificates as PEM, nearest first.</summary>
    public required IReadOnlyList<string> Chain { get; init; }

    /// <summary>The serial number.</summary>
    public required string Serial { get; init; }

    /// <summary>The private key as PKCS#8 PEM; absent where the agent sent a CSR and keeps its key.</summary>
    public string? PrivateKey { get; init; }
}

/// <summary><c>kv</c>: a static value. Nobody can revoke it; it stays valid until it is rotated.</summary>
public sealed record KeyValueSecret : SecretResponse
{
    /// <summary>Its members: a JSON object.</summary>
    public required JsonElement Data { get; init; }
}

/// <summary><c>token</c>: a Vault token.</summary>
public sealed record TokenSecret : SecretResponse
{
    /// <summary>The token.</summary>
    public required string Token { get; init; }

    /// <summary>The address of the Vault that accepts it.</summary>
    public required string Address { get; init; }
}

/// <summary><c>dynamic</c>: what another engine of Vault made.</summary>
public sealed record DynamicSecret : SecretResponse
{
    /// <summary>Its members: a JSON object.</summary>
    public required JsonElement Data { get; init; }
}
