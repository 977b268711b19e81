namespace CredBroker.Cli.Login;

/// <summary>The file of a login: one of the two.</summary>
internal sealed record LoginFile
{
    /// <summary>Nonce, tag and <see cref="KeptLogin"/> encrypted with a key of the keychain, as base64.</summary>
    public string? Sealed { get; init; }

    /// <summary>The login itself, where there is no keychain.</summary>
    public KeptLogin? Login { get; init; }
}

/// <summary>A login as it is written down.</summary>
internal sealed record KeptLogin
{
    public required string Server { get; init; }

    public required string Issuer { get; init; }

    public required string ClientId { get; init; }

    public required string Audience { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public string? Resource { get; init; }

    public required string Token { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public string? RefreshToken { get; init; }

    public override string ToString() => $"login at {Server}";

    public static KeptLogin Of(StoredLogin login) =>
        new()
        {
            Server = login.Target.Server.AbsoluteUri,
            Issuer = login.Target.Issuer,
            ClientId = login.Target.ClientId,
            Audience = login.Target.Audience,
            Scopes = login.Target.Scopes,
            Resource = login.Target.Resource,
            Token = login.Tokens.Token,
            ExpiresAt = login.Tokens.ExpiresAt,
            RefreshToken = login.Tokens.RefreshToken,
        };

    public StoredLogin Read(Uri server) =>
        new(new(server, Issuer, ClientId, Audience, Scopes, Resource), new(Token, ExpiresAt, RefreshToken));
}
