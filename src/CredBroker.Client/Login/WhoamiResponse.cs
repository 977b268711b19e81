namespace CredBroker.Client;

/// <summary>Whom the broker sees in the token of the call that asked.</summary>
public sealed record WhoamiResponse
{
    /// <summary>Until when the token counts.</summary>
    public required DateTimeOffset TokenExpiresAt { get; init; }

    /// <summary>The person, where the token is one's.</summary>
    public WhoamiPersonResponse? Person { get; init; }

    /// <summary>The agent's identity, where the token is a workload's. It names no agent: the process decides that.</summary>
    public IdentityResponse? Agent { get; init; }

    /// <summary>
    /// The processes of the policy in force that admit the agent, with the policy's name for it in each; absent for a
    /// person, and where no policy is in force.
    /// </summary>
    public IReadOnlyList<WhoamiProcessResponse>? Processes { get; init; }
}

/// <summary>A verified person.</summary>
/// <param name="Issuer">The token's issuer.</param>
/// <param name="Subject">The token's subject.</param>
/// <param name="Roles">What its issuer's settings make of its roles; empty for somebody who may do nothing here.</param>
/// <param name="Groups">The groups that the token lists.</param>
public sealed record WhoamiPersonResponse(
    string Issuer,
    string Subject,
    IReadOnlyList<string> Roles,
    IReadOnlyList<string> Groups
);

/// <summary>A process that admits an agent.</summary>
/// <param name="Process">The process.</param>
/// <param name="Agent">The policy's name for the agent in it.</param>
public sealed record WhoamiProcessResponse(string Process, string Agent);
