using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using Microsoft.AspNetCore.Http.Features;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// The agent that makes a call: its proof held a moment ago, and Core verifies it again as a step of each operation.
/// </summary>
/// <param name="Proof">The proof, bounded by the listener's limits.</param>
/// <param name="Call">Where the call came from.</param>
internal sealed record CallingAgent(IdentityProof Proof, CallContext Call)
{
    /// <summary>The agent that makes this call. A fault where the endpoint does not declare agents.</summary>
    public static CallingAgent Of(HttpContext http) => http.Features.GetRequiredFeature<CallingAgent>();
}
