namespace CredBroker.Client;

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
