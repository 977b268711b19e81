namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>One broker for all tests of a class.</summary>
public sealed class SharedBroker : IAsyncLifetime
{
    internal TestBroker Broker { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Broker = await TestBroker.StartAsync();

    public ValueTask DisposeAsync() => Broker.DisposeAsync();
}
