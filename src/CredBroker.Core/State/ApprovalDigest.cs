using System.Globalization;
using System.Text.Json;

namespace CredBroker.Core.State;

/// <summary>
/// What people agree to, as one digest: who asks and by which key, every field of the request, and what policy resolved
/// it to (the catalogue entry, the process, the life, the rules and all that they ask). If any of it is another when the
/// approval is redeemed, so is the digest. Tool arguments count as they were sent, in that order, but for white space
/// and escapes.
/// </summary>
public static class ApprovalDigest
{
    /// <summary>The digest of a challenge, as lower-case hex.</summary>
    public static string Of(DecisionRecord decision)
    {
        var (identity, task, request, verdict) = (decision.Identity, decision.Task, decision.Request, decision.Verdict);
        return TextDigest.Of(
            "credbroker-approval-1",
            identity.Proof.ToString(),
            identity.Issuer,
            identity.Subject,
            identity.Workload,
            identity.Instance,
            identity.SpiffeId,
            identity.TrustDomain,
            identity.ConfirmationKey?.Kind.ToString() ?? "",
            identity.ConfirmationKey?.Thumbprint ?? "",
            verdict.Agent,
            task.Process,
            task.Id,
            task.Purpose,
            request.Credential,
            JsonSerializer.Serialize([.. request.Actions], StateJson.Default.StringArray),
            request.Resource,
            request.Ttl?.Ticks.ToString(CultureInfo.InvariantCulture) ?? "",
            request.Delivery,
            request.Csr ?? "",
            request.ToolCall?.Name ?? "",
            request.ToolCall is { } call ? JsonSerializer.Serialize(call.Arguments, StateJson.Default.JsonElement) : "",
            verdict.Grant is { } grant ? JsonSerializer.Serialize(grant, StateJson.Default.Grant) : "",
            JsonSerializer.Serialize(verdict.Obligations, StateJson.Default.IReadOnlyListObligation)
        );
    }
}
