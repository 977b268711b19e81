using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

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

    /// <summary>Records that a person was refused, for want of a role.</summary>
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
                    Type = AuditEventTypes.AdminAction,
                    Actor = person.Actor,
                    Reason = reason,
                    TraceId = person.Call.TraceId,
                    Details = Describe(person.Operation, query),
                },
            },
            cancellationToken
        );

    private static byte[] Describe(string? operation, QueryString query)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("call", operation);
            if (query.HasValue)
            {
                writer.WriteString("query", query.Value);
            }

            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
