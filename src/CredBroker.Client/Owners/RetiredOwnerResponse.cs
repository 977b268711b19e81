namespace CredBroker.Client;

/// <summary>An owner who is gone: none of the processes that name them has an owner.</summary>
public sealed record RetiredOwnerResponse
{
    /// <summary>The person's issuer.</summary>
    public required string Issuer { get; init; }

    /// <summary>The person's subject.</summary>
    public required string Subject { get; init; }

    /// <summary>Why, in the admin's words.</summary>
    public required string Reason { get; init; }

    /// <summary>Who put it on record.</summary>
    public required string RetiredBy { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset RetiredAt { get; init; }

    /// <summary>The processes that name them as owner in the policy in force.</summary>
    public required IReadOnlyList<string> Processes { get; init; }
}
