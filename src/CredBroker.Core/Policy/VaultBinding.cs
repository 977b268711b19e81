using System.Diagnostics;
using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>Where and how Vault makes a credential: the catalogue entry's <c>vault</c> part.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "engine")]
[JsonDerivedType(typeof(Database), Database.EngineName)]
[JsonDerivedType(typeof(Dynamic), Dynamic.EngineName)]
[JsonDerivedType(typeof(Pki), Pki.EngineName)]
[JsonDerivedType(typeof(KeyValue), KeyValue.EngineName)]
[JsonDerivedType(typeof(Token), Token.EngineName)]
public abstract record VaultBinding
{
    private VaultBinding(string engine) => Engine = engine;

    /// <summary>The names of all engines, as policy, CEL and the wire say them: the one list.</summary>
    public static IReadOnlyList<string> Engines { get; } =
    [Database.EngineName, Dynamic.EngineName, Pki.EngineName, KeyValue.EngineName, Token.EngineName];

    /// <summary>The engine's name: one of <see cref="Engines"/>.</summary>
    [JsonIgnore]
    public string Engine { get; }

    /// <summary>How far a revocation reaches.</summary>
    [JsonIgnore]
    public RevocationReach Revocation =>
        this switch
        {
            KeyValue => RevocationReach.None,
            Pki => RevocationReach.Crl,
            Database or Dynamic or Token => RevocationReach.Backend,
            _ => throw new UnreachableException($"How far a revocation reaches is not said for {Engine}."),
        };

    /// <summary>Whether the life of a secret can be extended: of what hangs on a token, not of what has its end in it.</summary>
    [JsonIgnore]
    public bool IsRenewable => this is not (Pki or KeyValue);

    /// <summary>A dynamic user of the database engine: <c>GET &lt;mount&gt;/creds/&lt;role&gt;</c>.</summary>
    public sealed record Database(string Mount, string Role) : VaultBinding(EngineName)
    {
        /// <summary>The engine's name.</summary>
        public const string EngineName = "database";
    }

    /// <summary>
    /// Any engine that answers a path with a leased secret; <paramref name="Method"/> is <c>GET</c> or <c>POST</c>.
    /// </summary>
    public sealed record Dynamic(string Path, string Method) : VaultBinding(EngineName)
    {
        /// <summary>The engine's name.</summary>
        public const string EngineName = "dynamic";
    }

    /// <summary>
    /// A certificate: the agent's CSR signed (<c>pki/sign</c>), or key and certificate made by Vault
    /// (<c>pki/issue</c>).
    /// </summary>
    public sealed record Pki(string Mount, string Role, PkiMode Mode) : VaultBinding(EngineName)
    {
        /// <summary>The engine's name.</summary>
        public const string EngineName = "pki";
    }

    /// <summary>A static value of a KV version 2 engine: read in one call, not revocable.</summary>
    public sealed record KeyValue(string Mount, string Path) : VaultBinding(EngineName)
    {
        /// <summary>The engine's name.</summary>
        public const string EngineName = "kv";
    }

    /// <summary>A Vault token of the token role <paramref name="Role"/>.</summary>
    public sealed record Token(string Role) : VaultBinding(EngineName)
    {
        /// <summary>The engine's name.</summary>
        public const string EngineName = "token";
    }
}

/// <summary>Who makes a certificate's key.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<PkiMode>))]
public enum PkiMode
{
    /// <summary>The agent; it sends a CSR (the default).</summary>
    Sign,

    /// <summary>Vault; the key travels in the reply.</summary>
    Issue,
}

/// <summary>What a revocation can reach.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<RevocationReach>))]
public enum RevocationReach
{
    /// <summary>The backend itself: the user or token is gone.</summary>
    Backend,

    /// <summary>The CRL: a peer that reads none accepts the certificate until it ends.</summary>
    Crl,

    /// <summary>Nothing: the value stays valid until it is rotated.</summary>
    None,
}
