using CredBroker.Client;
using CredBroker.Core.Audit;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Policy;

/// <summary>Policy versions as they are told.</summary>
internal static class PolicyResponses
{
    /// <summary>The version in force, with the tag that a change of it has to name.</summary>
    public static IResult Reply(HttpContext http, PolicyControl policy, ActivePolicy active)
    {
        http.Response.Headers.ETag = $"\"{active.Set.Hash}\"";
        var refused = policy.RefusedEdit;
        return new Reply<PolicyResponse>(
            StatusCodes.Status200OK,
            Whole(
                new(active.Version, active.Set.Hash, active.Document, active.AppliedAt) { Origin = active.Origin }
            ) with
            {
                RefusedEdit = refused?.Faults,
                RefusedSince = refused?.Since,
                Source = KebabCase.Of(policy.ComesFrom),
            },
            BrokerJson.Default.PolicyResponse
        );
    }

    /// <summary>A version with its text.</summary>
    public static PolicyResponse Whole(AppliedPolicyRecord version) =>
        new()
        {
            Version = version.Version,
            Hash = version.Hash,
            AppliedAt = version.AppliedAt,
            Parent = Parent(version),
            Author = Author(version),
            Restores = version.Origin.Restores,
            Reason = Reason(version),
            Name = version.Document.Name,
            Text = version.Document.Text,
            Schemas = version.Document.Schemas.Count == 0 ? null : version.Document.Schemas,
        };

    /// <summary>A version without its text.</summary>
    public static PolicyVersionResponse Describe(AppliedPolicyRecord version) =>
        new()
        {
            Version = version.Version,
            Hash = version.Hash,
            AppliedAt = version.AppliedAt,
            Parent = Parent(version),
            Author = Author(version),
            Restores = version.Origin.Restores,
            Reason = Reason(version),
        };

    // A version follows the one before it, or the store would not have taken it.
    private static long? Parent(AppliedPolicyRecord version) => version.Version > 1 ? version.Version - 1 : null;

    private static PolicyAuthorResponse? Author(AppliedPolicyRecord version) =>
        version.Origin.Author is AuditActor author ? new(author.Issuer, author.Subject) : null;

    private static string? Reason(AppliedPolicyRecord version) =>
        version.Origin.Reason.Length == 0 ? null : version.Origin.Reason;
}
