using CredBroker.Core.Audit.Events;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>The record of what people do that no operation of Core records by itself: what they look at.</summary>
internal sealed class PeopleActions(IBrokerStore store)
{
    /// <summary>
    /// Records that a person made this call. Committed before anything is shown: what cannot be recorded does not
    /// happen.
    /// </summary>
    public ValueTask RecordAsync(CallingPerson person, CancellationToken cancellationToken) =>
        CommitAsync(person, null, default, cancellationToken);

    /// <summary>
    /// Records the query too. Only one that was checked: anything else in an address is not worth keeping and might be
    /// a misplaced token.
    /// </summary>
    public ValueTask RecordAsync(CallingPerson person, QueryString query, CancellationToken cancellationToken) =>
        CommitAsync(person, null, query, cancellationToken);

    /// <summary>
    /// The reply that refuses a person what they asked for and might do; that they asked is on record.
    /// </summary>
    public async ValueTask<IResult> RefuseAsync(
        CallingPerson person,
        Refusal refusal,
        CancellationToken cancellationToken
    )
    {
        await RecordRefusedAsync(person, refusal, cancellationToken);
        return new Refused(refusal);
    }

    /// <summary>Records that a person was refused: for want of a role, or of what the call is about.</summary>
    public ValueTask RecordRefusedAsync(CallingPerson person, Refusal refusal, CancellationToken cancellationToken) =>
        CommitAsync(person, refusal.CodeText, default, cancellationToken);

    private async ValueTask CommitAsync(
        CallingPerson person,
        string? reason,
        QueryString query,
        CancellationToken cancellationToken
    ) =>
        await store.CommitAsync(
            new StateChange.EventRecorded
            {
                Event = new()
                {
                    What = new AdminAction { Call = person.Operation, Query = query.HasValue ? query.Value : null },
                    Actor = person.Actor,
                    Reason = reason,
                    TraceId = person.Call.TraceId,
                },
            },
            cancellationToken
        );
}
