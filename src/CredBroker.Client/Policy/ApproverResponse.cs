namespace CredBroker.Client;

/// <summary>Who may agree to a challenge: a role, a group, or one person.</summary>
public sealed record ApproverResponse
{
    /// <summary><c>role</c>, <c>group</c> or <c>person</c>.</summary>
    public required string By { get; init; }

    /// <summary>The role's or group's name; absent for a person.</summary>
    public string? Name { get; init; }

    /// <summary>The person's issuer; absent otherwise.</summary>
    public string? Issuer { get; init; }

    /// <summary>The person's subject at that issuer; absent otherwise.</summary>
    public string? Subject { get; init; }
}
