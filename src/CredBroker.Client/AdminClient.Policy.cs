using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace CredBroker.Client;

/// <content>What people do to the policy.</content>
public sealed partial class AdminClient
{
    /// <summary>
    /// Makes a document the next version of the policy, where its versions come by the API. Its content in force already,
    /// that version is the answer.
    /// </summary>
    /// <param name="request">The document.</param>
    /// <param name="onto">
    /// The hash of the version in force that you have looked at, so that nobody else's change is lost; null where you have
    /// seen that there is none.
    /// </param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="BrokerProblemException">
    /// The document has faults, which the problem lists; another version is in force; the policy comes from a file.
    /// </exception>
    public ValueTask<PolicyResponse> ApplyPolicyAsync(
        ApplyPolicyRequest request,
        string? onto,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.SendAsync(
            HttpMethod.Put,
            "v1/policy",
            JsonContent.Create(request, BrokerJson.Default.ApplyPolicyRequest),
            BrokerJson.Default.PolicyResponse,
            headers => SetOnto(headers, onto),
            cancellationToken
        );
    }

    /// <summary>Makes what an earlier version said the next version of the policy, wherever its versions come from.</summary>
    /// <param name="request">The version, and why.</param>
    /// <param name="onto">The hash of the version in force that you have looked at.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="BrokerProblemException">There is no such version, or another one is in force.</exception>
    public ValueTask<PolicyResponse> RollBackPolicyAsync(
        RollbackPolicyRequest request,
        string? onto,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.SendAsync(
            HttpMethod.Post,
            "v1/policy/rollback",
            JsonContent.Create(request, BrokerJson.Default.RollbackPolicyRequest),
            BrokerJson.Default.PolicyResponse,
            headers => SetOnto(headers, onto),
            cancellationToken
        );
    }

    /// <summary>
    /// A page of what a document would have said to the requests of the past. Nothing is applied. The next page goes on
    /// from this one's <see cref="PolicyReplayResponse.Next"/>, up to the same <see cref="PolicyReplayResponse.To"/>.
    /// </summary>
    public ValueTask<PolicyReplayResponse> ReplayPolicyAsync(
        PolicyReplayRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.PostAsync(
            "v1/policy/replay",
            request,
            BrokerJson.Default.PolicyReplayRequest,
            BrokerJson.Default.PolicyReplayResponse,
            cancellationToken
        );

    private static void SetOnto(HttpRequestHeaders headers, string? onto)
    {
        if (onto is null)
        {
            headers.IfNoneMatch.Add(EntityTagHeaderValue.Any);
        }
        else
        {
            headers.IfMatch.Add(new EntityTagHeaderValue($"\"{onto}\""));
        }
    }
}
