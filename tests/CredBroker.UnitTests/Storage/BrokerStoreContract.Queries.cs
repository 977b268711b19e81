using CredBroker.Core.Leases;

namespace CredBroker.UnitTests.Storage;

public abstract partial class BrokerStoreContract
{
    private async Task<string[]> ListAsync(LeaseQuery query) => [.. (await Store.ListLeasesAsync(query, default)).Leases.Select(lease => lease.Id)];
}
