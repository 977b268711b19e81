using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Identity;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// What every call of a person begins with: their token, the role that the call needs, and the record of what they did.
/// </summary>
internal sealed class PeopleActions(PeopleVerifier verifier, RefusedCalls refused, IBrokerStore store)
{
    /// <summary>Roles that may look at leases, revocations, processes and policy.</summary>
    public static readonly IReadOnlyList<PersonRole> Readers =
    [
        PersonRole.Viewer,
        PersonRole.Auditor,
        PersonRole.Admin,
    ];

    /// <summary>Roles that may revoke and close.</summary>
    public static readonly IReadOnlyList<PersonRole> Admins = [PersonRole.Admin];

    /// <summary>Roles that may export the audit log.</summary>
    public static readonly IReadOnlyList<PersonRole> Auditors = [PersonRole.Auditor];

    /// <summary>
    /// The verified person with one of the roles; else the reply that refuses the call, which is on record.
    /// </summary>
    public async ValueTask<(Person? Person, IResult? Refused)> AdmitAsync(
        HttpContext http,
        IReadOnlyList<PersonRole> roles
    )
    {
        var (token, refusal) = Bearer.Read(http);
        if (token is not null)
        {
            switch (await verifier.VerifyAsync(token, http.RequestAborted))
            {
                case PersonOutcome.Verified { Person: var person }:
                    return await AdmitAsync(http, person, roles);
                case PersonOutcome.Refused outcome:
                    refusal = outcome.Refusal;
                    break;
            }
        }

        await refused.RecordAsync(refusal!, RequestOrigin.Of(http), CancellationToken.None);
        return (null, new Problem(refusal!));
    }

    /// <summary>Whether a verified person has one of the roles; if not, the refusal is on record.</summary>
    public async ValueTask<(Person? Person, IResult? Refused)> AdmitAsync(
        HttpContext http,
        Person person,
        IReadOnlyList<PersonRole> roles
    )
    {
        if (roles.Any(person.Roles.Contains))
        {
            return (person, null);
        }

        var missing = new Refusal(
            RefusalCode.RoleMissing,
            $"This call needs one of the roles: {string.Join(", ", roles.Select(LeaseResponses.Kebab))}."
        );
        await RecordAsync(http, person, missing.CodeText);
        return (null, new Problem(missing));
    }

    /// <summary>
    /// Records that a person made this call. Committed before anything is shown: what cannot be recorded does not
    /// happen.
    /// </summary>
    /// <param name="http">The call.</param>
    /// <param name="person">Who made it.</param>
    /// <param name="reason">The refusal's code, if it was refused.</param>
    /// <param name="query">
    /// Its query, where that was checked; anything else in an address is not worth keeping and might be a misplaced
    /// token.
    /// </param>
    public async ValueTask RecordAsync(
        HttpContext http,
        Person person,
        string? reason = null,
        QueryString query = default
    ) =>
        await store.CommitAsync(
            new StateChange.EventRecorded
            {
                Event = new()
                {
                    Type = AuditEventTypes.AdminAction,
                    Actor = Actor(person),
                    Reason = reason,
                    TraceId = RequestOrigin.TraceId(http),
                    Details = Describe(http, query),
                },
            },
            http.RequestAborted
        );

    /// <summary>The person as audit events name them.</summary>
    public static AuditActor Actor(Person person) => AuditActor.Person(person.Issuer, person.Subject);

    private static byte[] Describe(HttpContext http, QueryString query)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("call", http.GetEndpoint()?.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName);
            if (query.HasValue)
            {
                writer.WriteString("query", query.Value);
            }

            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
