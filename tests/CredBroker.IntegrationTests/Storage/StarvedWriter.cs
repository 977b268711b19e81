using CredBroker.Core.State;
using CredBroker.Storage;
using CredBroker.Storage.PostgreSql;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>
/// A process whose thread pool has no free thread, as under a flood of calls that block: commits all the same, a few
/// changes and then more than a socket takes at once, and is gone. <see cref="PostgresBatchTests"/> starts it.
/// </summary>
internal static class StarvedWriter
{
    public const string Command = "starved-writer";
    private const int Changes = 1000;

    public static int Run(string connectionStringFile)
    {
        using var store = PostgresBrokerStore.Open(
            new() { Provider = StorageProvider.Postgres, ConnectionStringFile = connectionStringFile },
            TimeProvider.System,
            NullLogger<PostgresBrokerStore>.Instance
        );
        using var reader = new NpgsqlConnection(File.ReadAllText(connectionStringFile));
        reader.Open();
        // Statements are prepared, and one that is prepared is sent differently.
        for (var i = 0; i < 4; i++)
        {
            Commit(store, reader, 1);
        }

        Starve();
        Commit(store, reader, 1);
        Commit(store, reader, Changes);
        Console.WriteLine("committed");
        // Its pool cannot be waited for.
        Environment.Exit(0);
        return 0;
    }

    /// <summary>Every thread that the pool may have waits for ever.</summary>
    private static void Starve()
    {
        var threads = Math.Max(Environment.ProcessorCount, ThreadPool.ThreadCount);
        ThreadPool.SetMinThreads(threads, threads);
        ThreadPool.SetMaxThreads(threads, threads);
        var (waiting, never) = (new CountdownEvent(threads), new ManualResetEventSlim());
        for (var i = 0; i < threads; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                _ =>
                {
                    waiting.Signal();
                    never.Wait();
                },
                null
            );
        }

        waiting.Wait();
    }

    /// <summary>Waits on this thread, which is none of the pool's, and for the rows: an answer comes by the pool.</summary>
    private static void Commit(PostgresBrokerStore store, NpgsqlConnection reader, int count)
    {
        var samples = new StoreSamples(new FakeTimeProvider(TimeProvider.System.GetUtcNow()));
        var before = Leases(reader);
        for (var i = 0; i < count; i++)
        {
            var lease = samples.Lease(samples.Decision(task: samples.NewId())) with
            {
                Id = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString("N"),
            };
            // The second is a row that cannot be written, and takes no neighbour along.
            _ = store.CommitAsync(samples.Opened(lease), default).AsTask();
            _ = store.CommitAsync(samples.Opened(lease), default).AsTask();
        }

        SpinWait.SpinUntil(() => Leases(reader) == before + count);
    }

    private static long Leases(NpgsqlConnection reader)
    {
        using var command = new NpgsqlCommand("SELECT count(*) FROM lease", reader);
        return (long)command.ExecuteScalar()!;
    }
}
