using CredBroker.Core.State;
using CredBroker.Storage.PostgreSql;
using CredBroker.Storage.Sqlite;

namespace CredBroker.Storage.Upkeep;

/// <summary>
/// Brings a store to what this version's broker needs, as that broker's start would: with the store for itself alone, so
/// not beside one that runs. On PostgreSQL it is how the tables' owner makes and changes them for a broker whose user may
/// not.
/// </summary>
public static class StoreMigration
{
    /// <summary>Runs the migrations that the store lacks, and returns them. A PostgreSQL schema may be empty.</summary>
    /// <exception cref="StoreUnavailableException">
    /// A broker uses the store, a newer one wrote it, there is none, or a migration failed; the message says what to do.
    /// </exception>
    public static IReadOnlyList<string> Run(StorageOptions options)
    {
        if (options.Provider == StorageProvider.Postgres)
        {
            using var database = PostgresDatabase.Open(
                options,
                new(TimeProvider.System, isRead: false),
                isAlone: true,
                evenClosed: true
            );
            using var _ = database.OpenWriter();
            return database.Migrated;
        }

        using var file = SqliteFile.Open(SqliteTables.Existing(options), evenClosed: true);
        return file.Migrated;
    }
}
