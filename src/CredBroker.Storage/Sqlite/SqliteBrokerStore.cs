using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage.Sqlite;

/// <summary>The embedded store: one SQLite file, one broker process, one writer.</summary>
public sealed class SqliteBrokerStore : SqlBrokerStore
{
    private readonly SqliteFile _file;

    private SqliteBrokerStore(SqliteFile file, StoreClock clock, StorageOptions options, ILogger logger)
        : base(new SqliteSession(file, file.OpenWriter(), clock), new SqliteReads(file), clock, options, logger) =>
        _file = file;

    /// <summary>Locks and migrates the file and opens this process's audit stream.</summary>
    /// <exception cref="StoreUnavailableException">
    /// The file cannot be used, or another broker uses it; the message says what to do.
    /// </exception>
    public static SqliteBrokerStore Open(StorageOptions options, TimeProvider time, ILogger<SqliteBrokerStore> logger)
    {
        var file = SqliteFile.Open(options.SqliteFile, options.ReserveMegabytes * 1024L * 1024);
        try
        {
            try
            {
                return new(file, new(time), options, logger);
            }
            catch (SqliteException) when (file.MakeRoom())
            {
                // A full disk: it starts on what is kept for that, and issues nothing.
                return new(file, new(time), options, logger);
            }
        }
        catch (SqliteException e)
        {
            file.Dispose();
            throw new StoreUnavailableException($"The store cannot write to {file.Path}: {e.Message}", e);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private protected override string? FileFault => _file.Fault;

    private protected override void Restore() => _file.Restore();

    private protected override void Close() => _file.Dispose();
}
