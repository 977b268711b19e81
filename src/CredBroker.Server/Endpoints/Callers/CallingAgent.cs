using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using Microsoft.AspNetCore.Http.Features;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// The agent that makes a call, as far as the edge knows it: it sent a proof, which nobody has verified. Core does that,
/// as a step of each operation.
/// </summary>
/// <param name="Proof">The proof, bounded by the listener's limits.</param>
/// <param name="Call">Where the call came from.</param>
internal sealed record CallingAgent(IdentityProof Proof, CallContext Call)
{
    /// <summary>Hands the agent to a handler that takes it. A fault where the endpoint does not declare agents.</summary>
    public static ValueTask<CallingAgent> BindAsync(HttpContext http) =>
        ValueTask.FromResult(http.Features.GetRequiredFeature<CallingAgent>());
}
