using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>Where a database user logs in; returned beside username and password.</summary>
public sealed record DatabaseConnection(string Host, int Port, string Database, string SslMode);
