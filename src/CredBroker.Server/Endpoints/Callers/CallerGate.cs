using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Hosting;
using Microsoft.AspNetCore.RateLimiting;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// What stands between routing and every handler. A call gets past it only if
/// <list type="number">
/// <item>its endpoint declares who calls it (<see cref="CalledBy"/>),</item>
/// <item>the listener takes such callers' calls,</item>
/// <item>the token of the call holds, and a person has a role that the endpoint takes,</item>
/// <item>and there is room among the requests of such callers.</item>
/// </list>
/// Nothing of the body is read until then, so that a stranger's body costs nothing and holds no place. One layer and no
/// more, since every exchange passes it.
/// </summary>
/// <remarks>
/// An agent's proof is verified here to let it in, and again by Core as a step of the operation itself, after that has
/// noted the fence: what is remembered of the token makes the second time cheap, and no revocation that comes while the
/// body is on its way is missed.
/// </remarks>
internal sealed class CallerGate(
    RequestDelegate next,
    CallerVerification agents,
    PeopleVerifier people,
    PeopleActions actions,
    RefusedCalls refusedCalls
)
{
    private static readonly Refusal Busy = new(
        RefusalCode.Overloaded,
        "The broker is working on as many requests as it takes at once.",
        TimeSpan.FromSeconds(1)
    );

    public async Task InvokeAsync(HttpContext http)
    {
        var (caller, listener) = (CalledBy.Of(http), Listener.Of(http));
        if (ListenerGate.Check(caller, listener) is { } elsewhere)
        {
            await new Refused(elsewhere).ExecuteAsync(http);
            return;
        }

        var share = RequestShare.Strangers;
        if (caller is not (Caller.Anyone or Caller.Monitor))
        {
            if (await VerifyAsync(http, caller, listener) is not { } verified)
            {
                return;
            }

            share = verified;
        }
        else if (http.GetEndpoint()?.Metadata.GetMetadata<DisableRateLimitingAttribute>() is not null)
        {
            await next(http);
            return;
        }

        if (!listener.Requests.TryEnter(share))
        {
            if (share == RequestShare.Strangers)
            {
                // What else a stranger has sent on this connection is not read.
                http.Response.Headers.Connection = "close";
            }

            await new Refused(Busy).ExecuteAsync(http);
            return;
        }

        try
        {
            await next(http);
        }
        finally
        {
            listener.Requests.Leave(share);
        }
    }

    /// <summary>
    /// Verifies whoever calls, for the handler to find (<see cref="CallingAgent"/>, <see cref="CallingPerson"/>): whose
    /// room the call takes; null where it was refused, and answered.
    /// </summary>
    private async ValueTask<RequestShare?> VerifyAsync(HttpContext http, Caller caller, Listener listener)
    {
        if (!Bearer.Read(http).Passes(out var token, out var missing))
        {
            return await RefuseUnknownAsync(http, missing);
        }

        var call = RequestOrigin.Of(http);
        Refusal? noPerson = null;
        if (caller == Caller.Person || (caller == Caller.AgentOrPerson && listener.ServesPeople))
        {
            switch (await people.VerifyAsync(token, call.Source, ClockOf(http), http.RequestAborted))
            {
                case PersonOutcome.Verified { Person: var person }:
                    return await AdmitAsync(http, person);
                case PersonOutcome.Refused { Refusal: var refusal }:
                    noPerson = refusal;
                    break;
                case var other:
                    throw new InvalidOperationException($"Unknown outcome {other.GetType().Name}.");
            }

            // On the people's own listener nobody is taken for an agent.
            if (caller == Caller.Person || !listener.ServesAgents)
            {
                return await RefuseUnknownAsync(http, noPerson);
            }
        }

        var agent = new CallingAgent(new IdentityProof.Bearer(token, call.Source), call);
        if (
            await agents.VerifyAsync(agent.Proof, agent.Call, http.RequestAborted)
            is VerificationOutcome.Refused refused
        )
        {
            // A person's token that does not hold is refused for its own reason, not for being no workload's.
            var isPersons = refused.Refusal.Code == RefusalCode.WrongKindOfIdentity && noPerson is not null;
            await new Refused(isPersons ? noPerson! : refused.Refusal).ExecuteAsync(http);
            return null;
        }

        http.Features.Set(agent);
        return RequestShare.Agents;
    }

    private static PersonClock ClockOf(HttpContext http)
    {
        var unsaid = TakenRoles.Of(http) == TakenRoles.Admins ? PersonClock.Later : PersonClock.Brokers;
        return http.GetEndpoint()?.Metadata.OfType<PersonClock>().FirstOrDefault(unsaid) ?? unsaid;
    }

    private async ValueTask<RequestShare?> AdmitAsync(HttpContext http, Person person)
    {
        var (calling, roles) = (CallingPerson.Of(http, person), TakenRoles.Of(http));
        if (!roles.Admit(person))
        {
            await actions.RecordRefusedAsync(calling, roles.Refusal);
            await new Refused(roles.Refusal).ExecuteAsync(http);
            return null;
        }

        http.Features.Set(calling);
        return roles == TakenRoles.Admins ? RequestShare.Orders : RequestShare.Readers;
    }

    /// <summary>Refuses a call of nobody knows whom; that is on record, or counted where there are many.</summary>
    private async ValueTask<RequestShare?> RefuseUnknownAsync(HttpContext http, Refusal refusal)
    {
        await refusedCalls.RecordAsync(refusal, RequestOrigin.Of(http), CancellationToken.None);
        await new Refused(refusal).ExecuteAsync(http);
        return null;
    }
}
