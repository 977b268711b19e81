using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <summary>The store in a PostgreSQL database: one schema, and a writer for each broker on it.</summary>
public sealed class PostgresBrokerStore : SqlBrokerStore
{
    private readonly PostgresDatabase _database;
    private readonly PostgresNews _news;
    private readonly PostgresReads _reads;

    private PostgresBrokerStore(PostgresDatabase database, StoreClock clock, StorageOptions options, ILogger logger)
        : this(database, new PostgresReads(database), clock, options, logger) { }

    private PostgresBrokerStore(
        PostgresDatabase database,
        PostgresReads reads,
        StoreClock clock,
        StorageOptions options,
        ILogger logger
    )
        : base(new PostgresSession(database, database.OpenWriter(), clock), reads, clock, options, logger)
    {
        (_database, _reads) = (database, reads);
        _news = new(database, LookAsync);
    }

    /// <summary>Takes a share of the schema, migrates it where it has to be, and enters the audit stream.</summary>
    /// <exception cref="StoreUnavailableException">The schema cannot be used; the message says what to do.</exception>
    public static PostgresBrokerStore Open(
        StorageOptions options,
        TimeProvider time,
        ILogger<PostgresBrokerStore> logger
    ) => Open(options, time, logger, isAlone: false);

    /// <summary>The same.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="time">The process's clocks.</param>
    /// <param name="logger">Where faults are said.</param>
    /// <param name="isAlone">Whether no other writer may be on the schema.</param>
    /// <param name="byDatabase">Whether time is the database's; if not, it is <paramref name="time"/>'s.</param>
    internal static PostgresBrokerStore Open(
        StorageOptions options,
        TimeProvider time,
        ILogger<PostgresBrokerStore> logger,
        bool isAlone,
        bool byDatabase = true
    )
    {
        var database = PostgresDatabase.Open(options, new(time, byDatabase), isAlone);
        try
        {
            return new(database, new(database.Time), options, logger);
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

    /// <inheritdoc/>
    public override async ValueTask<IReadOnlyList<StoreBroker>> ListBrokersAsync(CancellationToken cancellationToken)
    {
        var rows = await _reads.AllAsync<(string? Id, long? Since, long? SeenAt)>(
            PostgresDatabase.ListBrokers,
            null,
            cancellationToken
        );
        return
        [
            .. rows.Select(row => new StoreBroker(
                row.Id,
                row.Since is { } since ? ColumnValue.Time(since) : null,
                row.SeenAt is { } seenAt ? ColumnValue.Time(seenAt) : null
            )),
        ];
    }

    /// <summary>What is wrong there, the writer notices: it is asked at each look.</summary>
    private protected override string? FileFault => null;

    private protected override bool MayGoUnseen => true;

    private protected override long Opening => _database.Connections;

    /// <summary>A batch of its own comes after them, and each later one has no earlier time.</summary>
    private protected override Task AwaitBatchesAsync(CancellationToken cancellationToken) =>
        LookAsync(cancellationToken);

    private protected override void Restore() { }

    private protected override void Close()
    {
        _news.Dispose();
        _database.Dispose();
    }
}
