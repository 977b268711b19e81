namespace CredBroker.Client;

/// <summary>Where a database user logs in.</summary>
/// <param name="Host">Host name or address.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Database">The database's name.</param>
/// <param name="Sslmode">As libpq's <c>sslmode</c>.</param>
public sealed record DatabaseConnectionResponse(string Host, int Port, string Database, string Sslmode);
