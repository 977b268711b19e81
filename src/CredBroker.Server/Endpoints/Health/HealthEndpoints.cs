using CredBroker.Client;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Health;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/ready</c>: the store answers, so that incident response and
/// export work while Vault is down. <c>/health/issuing</c>: secrets can be issued, and if not, which part keeps them.
/// </summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/health/live", () => Answer(new([])))
            .WithName("live")
            .WithSummary("The process answers.")
            .Produces<HealthResponse>();
        routes
            .MapGet(
                "/health/ready",
                async (RememberedHealth health, CancellationToken cancellationToken) =>
                    Answer(await health.ReadyAsync(cancellationToken))
            )
            .WithName("ready")
            .WithSummary("The store answers: leases can be listed and revoked, the audit log exported.")
            .Produces<HealthResponse>()
            .Produces<HealthResponse>(StatusCodes.Status503ServiceUnavailable);
        routes
            .MapGet(
                "/health/issuing",
                async (RememberedHealth health, CancellationToken cancellationToken) =>
                    Answer(await health.IssuingAsync(cancellationToken))
            )
            .WithName("issuing")
            .WithSummary("Secrets can be issued; if not, the part that keeps them from it.")
            .Produces<HealthResponse>()
            .Produces<HealthResponse>(StatusCodes.Status503ServiceUnavailable);
    }

    private static Reply<HealthResponse> Answer(HealthAnswer answer)
    {
        var isWell = answer.Parts.All(part => part.Status == BrokerHealth.Well);
        return new(
            isWell ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
            new()
            {
                Status = isWell ? BrokerHealth.Well : BrokerHealth.Ill,
                Parts = answer.Parts,
                Brokers = answer.Brokers?.Count,
                StoreBrokers =
                    answer.Brokers is { } brokers && brokers.Any(broker => broker.Id is not null)
                        ?
                        [
                            .. brokers.Select(broker => new HealthBrokerResponse
                            {
                                Id = broker.Id,
                                Since = broker.Since,
                                SeenAt = broker.SeenAt,
                            }),
                        ]
                        : null,
            },
            BrokerJson.Default.HealthResponse
        );
    }
}
