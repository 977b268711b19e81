using System.Text.Json;
using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>A request to have people asked about a denial, as AuthZEN's access requests submit it.</summary>
public sealed record AccessSubmission
{
    /// <summary>The denial's <c>evaluation_id</c>.</summary>
    public required string EvaluationId { get; init; }

    /// <summary>Until when it can be submitted, as the caller echoes it; what counts is what the broker noted.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Digest of subject, resource, action and the context that counts, by <see cref="DigestOf"/>.</summary>
    public required string Binding { get; init; }

    /// <summary>Digest of the whole submission, by <see cref="DigestOf"/>.</summary>
    public required string BodyDigest { get; init; }

    /// <summary>The caller's key against double submission; null where it gave none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Where the caller wants to be told what becomes of it; null where it does not.</summary>
    public AccessCallback? Callback { get; init; }

    /// <summary>
    /// SHA-256 of the canonical form of RFC 8785, so that what says the same in another order or spelling is the same.
    /// </summary>
    /// <exception cref="ArgumentException">A text is no Unicode.</exception>
    public static string DigestOf(JsonElement value) => ApprovalDigest.Of(value);
}
