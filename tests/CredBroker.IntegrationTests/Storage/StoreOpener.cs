using CredBroker.Core.State;
using CredBroker.Storage;
using CredBroker.Storage.PostgreSql;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>
/// One of the processes that <see cref="PostgresMigrationTests"/> starts at once: waits to be told, opens the store, waits
/// again, and commits something.
/// </summary>
internal static class StoreOpener
{
    public const string Command = "store-opener";
    public const string Waits = "waits";
    public const string HasOpened = "has opened";

    /// <summary>0 once what it committed is committed.</summary>
    public static async Task<int> RunAsync(string connectionStringFile)
    {
        Console.WriteLine(Waits);
        await Console.In.ReadLineAsync();
        using var store = PostgresBrokerStore.Open(
            new() { Provider = StorageProvider.Postgres, ConnectionStringFile = connectionStringFile },
            TimeProvider.System,
            NullLogger<PostgresBrokerStore>.Instance
        );
        Console.WriteLine(HasOpened);
        await Console.In.ReadLineAsync();
        return await store.CommitAsync(StoreSamples.Recorded(), default) is CommitOutcome.Committed ? 0 : 1;
    }
}
