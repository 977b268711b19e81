using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;
using Microsoft.AspNetCore.Http.Features;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>The person who makes a call, verified.</summary>
/// <param name="Person">Who it is.</param>
/// <param name="Call">Where the call came from.</param>
/// <param name="Operation">The name of the endpoint, as the OpenAPI document has it.</param>
/// <param name="About">The id in the address; null where it has none that could be one.</param>
internal sealed record CallingPerson(Person Person, CallContext Call, string? Operation, string? About = null)
{
    /// <summary>The person as audit events name them.</summary>
    public AuditActor Actor => AuditActor.Person(Person.Issuer, Person.Subject);

    /// <summary>This person on this request.</summary>
    public static CallingPerson Of(HttpContext http, Person person) =>
        new(
            person,
            RequestOrigin.Of(http),
            http.GetEndpoint()?.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName,
            http.GetRouteValue("id") is string id && Ids.IsValid(id) ? id : null
        );

    /// <summary>Hands the person to a handler that takes it. A fault where the endpoint does not declare people.</summary>
    public static ValueTask<CallingPerson> BindAsync(HttpContext http) =>
        ValueTask.FromResult(http.Features.GetRequiredFeature<CallingPerson>());
}
