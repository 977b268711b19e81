using CredBroker.IntegrationTests.Fixtures;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.IntegrationTests.Server;

public sealed class SqliteTimeBoxTests : TimeBoxAttacks
{
    private protected override Task<TestBroker> StartAsync(string policy, Action<IServiceCollection>? replace) =>
        TestBroker.StartAsync(ApprovalDesk.Settings(), policy, replace: replace);
}
