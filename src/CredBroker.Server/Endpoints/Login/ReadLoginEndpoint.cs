using CredBroker.Client;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Login;

/// <summary><c>GET /v1/login</c>: where people log in. What their issuers tell anybody as well, and nothing more.</summary>
internal static class ReadLoginEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/v1/login",
                (LoginResponse login) =>
                    new Reply<LoginResponse>(StatusCodes.Status200OK, login, BrokerJson.Default.LoginResponse)
            )
            .WithName("readLogin")
            .WithSummary("Where people log in, with which client, for which audience. For anybody.")
            .Produces<LoginResponse>();
}
