namespace CredBroker.Core.State;

/// <summary>
/// A denial that people could be asked about, as AuthZEN's access requests name it by its <c>evaluation_id</c>. It grants
/// nothing and asks nobody; it only lets the caller that was denied, and nobody else, have people asked about the same.
/// </summary>
public sealed record AccessEvaluation
{
    /// <summary>How many of one caller's wait for a submission; a newer one takes the place of the oldest.</summary>
    public const int MaxPerCaller = 20;

    /// <summary>How many of one workload's do, all its instances together.</summary>
    public const int MaxPerWorkload = 200;

    /// <summary>How many do in all.</summary>
    public const int Max = 2_000;

    /// <summary>128 random bits as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>Who was denied, as <see cref="Approval.CallerKeyOf"/> says it.</summary>
    public required string CallerKey { get; init; }

    /// <summary>Digest of subject, resource, action and the context that counts.</summary>
    public required string Binding { get; init; }

    /// <summary>The policy that denied.</summary>
    public required long PolicyVersion { get; init; }

    /// <summary>When, by the count of what has passed.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Until when a request can be submitted for it.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The question to people that was submitted for it; null while none was.</summary>
    public string? ApprovalId { get; init; }

    /// <summary>Digest of what was submitted; null while nothing was.</summary>
    public string? BodyDigest { get; init; }
}
