namespace CredBroker.Core.State;

/// <summary>
/// A person who answered for processes and is gone: no process that names them has an owner until policy names another
/// one, and they approve nothing.
/// </summary>
public sealed record OwnerRetirement
{
    /// <summary>How many may be gone at once: whoever decides has all of them at hand.</summary>
    public const int Max = 10_000;

    /// <summary>The person's issuer.</summary>
    public required string Issuer { get; init; }

    /// <summary>The person's subject.</summary>
    public required string Subject { get; init; }

    /// <summary>Why, in the admin's words.</summary>
    public required string Reason { get; init; }

    /// <summary>Who said so, as in the audit event's actor.</summary>
    public required string RetiredBy { get; init; }

    /// <summary>When, by the store's clock.</summary>
    public required DateTimeOffset RetiredAt { get; init; }
}
