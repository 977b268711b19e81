using System.Text.Json.Serialization;

namespace CredBroker.Core.Policy;

/// <summary>Where a database user logs in; returned beside username and password.</summary>
public sealed record DatabaseConnection(string Host, int Port, string Database, string SslMode)
{
    /// <summary>
    /// Whether the operator accepts that the server permits prepared transactions: with one an agent can hold its user's
    /// row, and so its login, after its sessions are gone, until an administrator rolls it back. Not told to agents.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool AcceptsPreparedTransactions { get; init; }
}
