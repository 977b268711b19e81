using CredBroker.Core.Policy;
using CredBroker.Core.Text;

namespace CredBroker.Core.Issuing;

/// <summary>A secret on its way from Vault to the agent. It is in no log, no store and no audit record.</summary>
public abstract record IssuedSecret
{
    private IssuedSecret() { }

    /// <summary>A database user.</summary>
    public sealed record Database(string Username, SecretText Password, DatabaseConnection? Connection) : IssuedSecret;

    /// <summary>A certificate; the key is there only if Vault made it.</summary>
    /// <param name="Pem">PEM.</param>
    /// <param name="Chain">The issuing certificates as PEM, nearest first.</param>
    /// <param name="Serial">Vault's serial number.</param>
    /// <param name="PrivateKey">PKCS#8 PEM, or null.</param>
    public sealed record Certificate(string Pem, IReadOnlyList<string> Chain, string Serial, SecretText? PrivateKey)
        : IssuedSecret;

    /// <summary>The members of a KV or dynamic secret: a JSON object as text.</summary>
    public sealed record Values(SecretText Json) : IssuedSecret;

    /// <summary>A Vault token.</summary>
    /// <param name="Value">The token.</param>
    /// <param name="Address">The Vault that accepts it.</param>
    /// <param name="Namespace">In which namespace of it; empty for none.</param>
    public sealed record Token(SecretText Value, string Address, string Namespace) : IssuedSecret;
}
