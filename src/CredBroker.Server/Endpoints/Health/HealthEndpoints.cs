using CredBroker.Client;
using CredBroker.Core.Issuing;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Health;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/ready</c>: the store answers, so that incident response and
/// export work while Vault is down. <c>/health/issuing</c>: secrets can be issued, and if not, which part keeps them.
/// </summary>
internal static class HealthEndpoints
{
    private const string Well = "ok";
    private const string Ill = "unavailable";

    private static readonly string NoSuchLease = new('0', 32);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/health/live", () => Answer([]))
            .WithName("live")
            .WithSummary("The process answers.")
            .Produces<HealthResponse>();
        routes
            .MapGet(
                "/health/ready",
                async (IBrokerStore store, CancellationToken cancellationToken) =>
                    Answer([await StoreAsync(store, cancellationToken)])
            )
            .WithName("ready")
            .WithSummary("The store answers: leases can be listed and revoked, the audit log exported.")
            .Produces<HealthResponse>()
            .Produces<HealthResponse>(StatusCodes.Status503ServiceUnavailable);
        routes
            .MapGet(
                "/health/issuing",
                async (
                    IBrokerStore store,
                    PolicyControl policy,
                    ISecretIssuer issuer,
                    CancellationToken cancellationToken
                ) => Answer([await StoreAsync(store, cancellationToken), Policy(policy), Vault(issuer.Status)])
            )
            .WithName("issuing")
            .WithSummary("Secrets can be issued; if not, the part that keeps them from it.")
            .Produces<HealthResponse>()
            .Produces<HealthResponse>(StatusCodes.Status503ServiceUnavailable);
    }

    private static Reply<HealthResponse> Answer(IReadOnlyList<HealthPartResponse> parts)
    {
        var well = parts.All(part => part.Status == Well);
        var (status, text) = well ? (StatusCodes.Status200OK, Well) : (StatusCodes.Status503ServiceUnavailable, Ill);
        return new(status, new() { Status = text, Parts = parts }, BrokerJson.Default.HealthResponse);
    }

    private static async ValueTask<HealthPartResponse> StoreAsync(
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await store.Leases.FindAsync(NoSuchLease, cancellationToken);
            return Part("store", null);
        }
        catch (StoreUnavailableException)
        {
            return Part("store", new(RefusalCode.StoreUnavailable, "The store does not answer."));
        }
    }

    private static HealthPartResponse Policy(PolicyControl policy) =>
        Part("policy", policy.Current is null ? new(RefusalCode.PolicyMissing, "No policy is in force.") : null);

    private static HealthPartResponse Vault(IssuerStatus status) =>
        Part("vault", status.CanIssue ? null : status.Refusal ?? new(RefusalCode.IssuingPaused, "Issuing is paused."));

    private static HealthPartResponse Part(string name, Refusal? refusal) =>
        new()
        {
            Name = name,
            Status = refusal is null ? Well : Ill,
            Code = refusal?.CodeText,
            Detail = refusal?.Detail,
        };
}
