using CredBroker.Core.Identity;
using CredBroker.Core.State;

namespace CredBroker.Core.Exchange;

/// <summary>
/// Digests that idempotency compares. Parts are length-prefixed by JSON, so that no two different inputs share a form.
/// </summary>
internal static class RequestDigest
{
    /// <summary>The caller: issuer, subject and instance.</summary>
    public static string Caller(WorkloadIdentity identity) =>
        TextDigest.Of(identity.Issuer, identity.Subject, identity.Instance);

    /// <summary>Everything the request says, idempotency key and proof aside.</summary>
    public static string Request(ExchangeCommand command)
    {
        var (task, request) = (command.Task, command.Request);
        return TextDigest.Of([
            task.Id,
            task.Process,
            task.Purpose,
            request.Credential,
            string.Join('\n', request.Actions),
            request.Resource,
            request.Ttl?.Ticks.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "",
            request.Delivery,
            request.Csr ?? "",
            request.ToolCall?.Name ?? "",
            request.ToolCall?.Arguments.GetRawText() ?? "",
            command.ApprovalId ?? "",
            .. (request.Params ?? new Dictionary<string, string>())
                .OrderBy(param => param.Key, StringComparer.Ordinal)
                .SelectMany(param => new[] { param.Key, param.Value }),
        ]);
    }
}
