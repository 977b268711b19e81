using CredBroker.Client;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Revocations;

/// <summary>Orders to revoke as the API shows them.</summary>
internal static class RevocationResponses
{
    public static RevocationResponse DryRun(RevocationPreview preview)
    {
        var leases = LeaseResponses.ForPeople(preview.Reached.Leases, preview.Reached.Unreadable);
        return new()
        {
            DryRun = true,
            Complete = false,
            Counts = leases.CountBy(lease => lease.State).ToDictionary(),
            Leases = leases,
            StillValid = [.. preview.StillValid.Select(LeaseResponses.Remainder)],
        };
    }

    public static RevocationOrderResponse Order(RevocationOrder order) =>
        Selectors.Describe(
            order.Selector,
            new RevocationOrderResponse
            {
                Everything = order.Selector.Everything ? true : null,
                RevocationId = order.Id,
                Cause = KebabCase.Of(order.Cause),
                Reason = order.Reason,
                RequestedBy = order.RequestedBy,
                RequestedAt = order.RequestedAt,
                EnumeratedAt = order.EnumeratedAt,
            }
        );

    public static RevocationResponse Progress(RevocationProgress progress) =>
        new()
        {
            RevocationId = progress.Order.Id,
            Reason = progress.Order.Reason,
            RequestedBy = progress.Order.RequestedBy,
            RequestedAt = progress.Order.RequestedAt,
            RecordMissing = progress.DeadAtVault is null ? null : true,
            DeadAtVault = progress.DeadAtVault,
            Complete =
                progress.Order.EnumeratedAt is not null
                && progress.Counts.All(count =>
                    count.Value == 0 || count.Key is LeaseState.Revoked or LeaseState.Ended
                ),
            Counts = progress.Counts.ToDictionary(count => LeaseResponses.State(count.Key), count => count.Value),
            Leases = LeaseResponses.ForPeople(progress.Leases, progress.Unreadable),
            StillValid = [.. progress.StillValid.Select(LeaseResponses.Remainder)],
        };
}
