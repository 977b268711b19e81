using System.Data.Common;
using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.Storage.PostgreSql;
using CredBroker.Storage.Sql;
using CredBroker.Storage.Sqlite;

namespace CredBroker.Storage.Upkeep;

/// <summary>
/// What a store is and holds, read beside whatever broker uses it: nothing is locked or changed. Each number is as of when
/// it was read.
/// </summary>
public sealed record StoreReport
{
    /// <summary>The database.</summary>
    public required StorageProvider Provider { get; init; }

    /// <summary>Where it is; no secret.</summary>
    public required string Place { get; init; }

    /// <summary>The newest migration that it has had; null where it is no store yet.</summary>
    public required string? Version { get; init; }

    /// <summary>Those that it lacks, in the order in which a start of this version's broker, or a migration, runs them.</summary>
    public required IReadOnlyList<string> Pending { get; init; }

    /// <summary>Those that this version does not know: a newer one's broker wrote it, and only such a one can use it.</summary>
    public required IReadOnlyList<string> Unknown { get; init; }

    /// <summary>Why no broker may start on it; null where one may.</summary>
    public required string? Closed { get; init; }

    /// <summary>How much room it takes.</summary>
    public required long Bytes { get; init; }

    /// <summary>How many rows each table has.</summary>
    public required IReadOnlyList<StoreRows> Tables { get; init; }

    /// <summary>How many leases are not over, by their state.</summary>
    public required IReadOnlyList<StoreRows> LiveLeases { get; init; }

    /// <summary>The newest record of each audit stream, oldest stream first.</summary>
    public required IReadOnlyList<AuditPosition> Heads { get; init; }

    /// <summary>Reads it.</summary>
    /// <exception cref="StoreUnavailableException">There is none, or it does not answer; the message says why.</exception>
    public static StoreReport Read(StorageOptions options)
    {
        try
        {
            using SqlTables tables =
                options.Provider == StorageProvider.Postgres
                    ? PostgresTables.OpenToRead(options)
                    : SqliteTables.OpenToRead(options);
            return Read(options.Provider, tables);
        }
        catch (DbException e)
        {
            throw new StoreUnavailableException($"The store does not answer: {e.Message}", e);
        }
    }

    private static StoreReport Read(StorageProvider provider, SqlTables tables)
    {
        var (had, known) = (tables.Migrations(), SqlMigrations.Known(tables.Engine));
        var isStore = had.Count > 0;
        return new()
        {
            Provider = provider,
            Place = tables.Place,
            Version = isStore ? had[^1] : null,
            Pending = [.. known.Except(had)],
            Unknown = [.. had.Except(known)],
            Closed = HasClosed(tables) ? ClosedStore.Of(tables) : null,
            Bytes = tables.Bytes(),
            Tables = [.. tables.All.Select(table => new StoreRows(table.Name, tables.Count(table)))],
            LiveLeases = isStore
                ? tables.Read(
                    "SELECT state, count(*) FROM lease WHERE confirmed_at IS NULL GROUP BY state ORDER BY state",
                    row => new StoreRows(row.GetString(0), row.GetInt64(1))
                )
                : [],
            Heads = isStore
                ? tables.Read(
                    """
                    SELECT s.id, r.sequence, r.bytes FROM audit_stream s JOIN audit_record r ON r.stream = s.number
                      AND r.sequence = (SELECT max(newest.sequence) FROM audit_record newest WHERE newest.stream = s.number)
                    ORDER BY s.number
                    """,
                    row => new AuditPosition(
                        row.GetString(0),
                        row.GetInt64(1),
                        AuditRecordWriter.Hash(row.GetFieldValue<byte[]>(2))
                    )
                )
                : [],
        };
    }

    // A store from before there was such a thing has none.
    private static bool HasClosed(SqlTables tables) =>
        tables.All.Any(table => table.Name == "store" && table.Columns.Any(column => column.Name == "closed"));
}

/// <summary>How many rows there are of a kind.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Rows">How many.</param>
public sealed record StoreRows(string Kind, long Rows);
