using System.Text.Json.Serialization.Metadata;
using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// What every call of an agent begins and ends with. The proof itself is verified in Core, as a numbered step of each
/// operation.
/// </summary>
internal static class CallingAgent
{
    /// <summary>The proof that the call carries, or the refusal.</summary>
    public static (IdentityProof? Proof, Refusal? Refusal) Proof(HttpContext http)
    {
        var (token, refusal) = Bearer.Read(http);
        return token is null ? (null, refusal) : (new IdentityProof.Bearer(token), null);
    }

    /// <summary>Proof and body, or the first refusal.</summary>
    public static async ValueTask<(IdentityProof? Proof, T? Body, Refusal? Refusal)> ReadAsync<T>(
        HttpContext http,
        JsonTypeInfo<T> type
    )
        where T : class
    {
        var (proof, refusal) = Proof(http);
        if (refusal is not null)
        {
            return (null, null, refusal);
        }

        var (body, fault) = await RequestBody.ReadAsync(http, type);
        return (proof, body, fault);
    }

    /// <summary>Refuses a call whose caller was not verified: recorded, or counted when there are many.</summary>
    public static async ValueTask<IResult> RefuseAsync(HttpContext http, Refusal refusal)
    {
        var refused = http.RequestServices.GetRequiredService<RefusedCalls>();
        await refused.RecordAsync(refusal, RequestOrigin.Of(http), CancellationToken.None);
        return new Problem(refusal);
    }

    /// <summary>The reply to a call about a lease.</summary>
    public static IResult Reply(LeaseOutcome outcome, Func<Lease, IResult> found) =>
        outcome switch
        {
            LeaseOutcome.Found answer => found(answer.Lease),
            LeaseOutcome.Refused refused => new Problem(refused.Refusal),
            _ => throw new InvalidOperationException($"Unknown outcome {outcome.GetType().Name}."),
        };
}
