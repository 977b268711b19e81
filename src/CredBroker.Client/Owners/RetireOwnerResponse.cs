namespace CredBroker.Client;

/// <summary>What an owner who is gone leaves behind.</summary>
public sealed record RetireOwnerResponse
{
    /// <summary>The owner.</summary>
    public required RetiredOwnerResponse Owner { get; init; }

    /// <summary>Whether they were on record as gone before; absent where they are since this call.</summary>
    public bool? AlreadyGone { get; init; }

    /// <summary>
    /// What the agents of their processes hold. Unless a revocation is named here, it stays and runs out by itself.
    /// </summary>
    public required IReadOnlyList<LeaseResponse> Leases { get; init; }

    /// <summary>Whether there are more leases than are listed; absent where there are not.</summary>
    public bool? More { get; init; }

    /// <summary>The revocation orders that came with it, one for each process whose policy says so; of an
    /// owner who was gone already, for those whose agents still held something.</summary>
    public required IReadOnlyList<string> Revocations { get; init; }
}
