namespace CredBroker.Core.Policy;

/// <summary>
/// What an identity may ask of one catalogue entry, for one process. It says no more than is true of every request of
/// that shape: the process, the entry, some of its actions, a ttl of at least a second or none.
/// </summary>
public sealed record CatalogueOffer
{
    /// <summary>The process that admits the identity.</summary>
    public required BusinessProcess Process { get; init; }

    /// <summary>The policy's name for it there.</summary>
    public required string Agent { get; init; }

    /// <summary>The entry.</summary>
    public required CatalogueEntry Entry { get; init; }

    /// <summary>What such a request is told.</summary>
    public required OfferOutcome Outcome { get; init; }

    /// <summary>The longest life that may be granted; where it depends, a rule may grant less.</summary>
    public required TimeSpan MaxTtl { get; init; }

    /// <summary>
    /// What every request that is allowed at all would ask of people, where only the form of its parameters or of its tool call is left open, too;
    /// empty where it asks nobody, or depends on more.
    /// </summary>
    public required IReadOnlyList<ApprovalDemand> Asks { get; init; }

    /// <summary>What it depends on, as conditions name it; empty where it depends on nothing.</summary>
    public required IReadOnlyList<string> DependsOn { get; init; }
}

/// <summary>What every request of a shape is told.</summary>
public enum OfferOutcome
{
    /// <summary>Policy allows it.</summary>
    Allow,

    /// <summary>A person would be asked.</summary>
    Challenge,

    /// <summary>It depends on the request: it may be allowed, challenged or denied.</summary>
    Depends,
}
