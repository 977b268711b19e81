namespace CredBroker.Client;

/// <summary>A business process.</summary>
public sealed record ProcessResponse
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Who answers for it; absent where nobody is named.</summary>
    public OwnerResponse? Owner { get; init; }

    /// <summary>Whether the owner is gone, so that nobody answers for it; absent where they are not.</summary>
    public bool? OwnerGone { get; init; }

    /// <summary><c>revoke</c> where what its agents hold is revoked when its owner goes; absent where it is not.</summary>
    public string? OnOwnerGone { get; init; }

    /// <summary>The agents that may claim it.</summary>
    public required IReadOnlyList<string> Agents { get; init; }

    /// <summary>Whether it tolerates that agents act at run time on their own.</summary>
    public required bool ToleratesRuntimeAction { get; init; }

    /// <summary>Credentials whose unreachable revocation its owner accepts.</summary>
    public IReadOnlyList<string>? AcceptsUnrevocable { get; init; }

    /// <summary><c>autonomous</c> or <c>constrained</c>.</summary>
    public required string Mode { get; init; }

    /// <summary>Why it is in this mode, as a sentence.</summary>
    public required string Why { get; init; }
}
