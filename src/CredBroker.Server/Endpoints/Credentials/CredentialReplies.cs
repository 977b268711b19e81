using CredBroker.Client;
using CredBroker.Core.Leases;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Credentials;

/// <summary>What an agent's call about its lease is answered.</summary>
internal static class CredentialReplies
{
    /// <summary>The lease as its holder sees it.</summary>
    public static IResult Shown(LeaseOutcome outcome) =>
        Of(
            outcome,
            lease => new Reply<LeaseResponse>(
                StatusCodes.Status200OK,
                LeaseResponses.ForAgent(lease),
                BrokerJson.Default.LeaseResponse
            )
        );

    /// <summary>What the call makes of the lease, or the refusal.</summary>
    public static IResult Of(LeaseOutcome outcome, Func<Lease, IResult> found) =>
        outcome switch
        {
            LeaseOutcome.Found answer => found(answer.Lease),
            LeaseOutcome.Refused refused => new Refused(refused.Refusal),
            _ => throw new InvalidOperationException($"Unknown outcome {outcome.GetType().Name}."),
        };
}
