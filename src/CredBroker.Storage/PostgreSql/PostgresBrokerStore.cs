using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <summary>The store in a PostgreSQL database: one schema, one broker process, one writer.</summary>
public sealed class PostgresBrokerStore : SqlBrokerStore
{
    private readonly PostgresDatabase _database;

    private PostgresBrokerStore(PostgresDatabase database, StoreClock clock, StorageOptions options, ILogger logger)
        : base(
            new PostgresSession(database, database.OpenWriter(), clock),
            new PostgresReads(database),
            clock,
            options,
            logger
        ) => _database = database;

    /// <summary>Takes and migrates the schema and opens this process's audit stream.</summary>
    /// <exception cref="StoreUnavailableException">
    /// The schema cannot be used, or another broker uses it; the message says what to do.
    /// </exception>
    public static PostgresBrokerStore Open(
        StorageOptions options,
        TimeProvider time,
        ILogger<PostgresBrokerStore> logger
    ) => Open(options, time, logger, isAlone: true);

    /// <summary>The same, where <paramref name="isAlone"/> is false beside other writers on the schema.</summary>
    internal static PostgresBrokerStore Open(
        StorageOptions options,
        TimeProvider time,
        ILogger<PostgresBrokerStore> logger,
        bool isAlone
    )
    {
        var database = PostgresDatabase.Open(options, isAlone);
        try
        {
            return new(database, new(time), options, logger);
        }
        catch (NpgsqlException e)
        {
            database.Dispose();
            throw new StoreUnavailableException($"The store cannot write to PostgreSQL: {e.Message}", e);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>What is wrong there, the writer notices: it is asked at each look.</summary>
    private protected override string? FileFault => null;

    private protected override bool MayGoUnseen => true;

    private protected override long Opening => _database.Connections;

    private protected override void Restore() { }

    private protected override void Close() => _database.Dispose();
}
