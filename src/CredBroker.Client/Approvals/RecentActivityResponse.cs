namespace CredBroker.Client;

/// <summary>What the instance of the agent that asks has had in the last hour.</summary>
public sealed record RecentActivityResponse
{
    /// <summary>From when on exactly; up to five minutes more than an hour ago.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>The credentials that it asked for, the one asked for most first; 20 at most.</summary>
    public required IReadOnlyList<CredentialActivityResponse> Credentials { get; init; }
}
