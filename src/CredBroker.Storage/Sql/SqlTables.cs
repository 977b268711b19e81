using System.Data.Common;

namespace CredBroker.Storage.Sql;

/// <summary>
/// A store's tables as they lie there, of whatever noun they are: for what is done to a store as a whole. Which tables
/// and columns there are, the database is asked, so that one that is added later is not forgotten.
/// </summary>
internal abstract class SqlTables(string engine, string place, DbConnection connection) : IDisposable
{
    private IReadOnlyList<SqlTable>? _all;

    /// <summary>The folder of its migrations.</summary>
    public string Engine { get; } = engine;

    /// <summary>Where it is, as a message names it; no secret.</summary>
    public string Place { get; } = place;

    /// <summary>All tables but the record of migrations and <see cref="Own"/>.</summary>
    public IReadOnlyList<SqlTable> All =>
        _all ??= [
            .. Describe()
                .Where(table =>
                    !table.Name.Equals(SqlMigrations.Journal, StringComparison.OrdinalIgnoreCase)
                    && !Own.Contains(table.Name)
                )
                .Select(table =>
                    table with
                    {
                        Columns = [.. table.Columns.Where(column => !Own.Contains($"{table.Name}.{column.Name}"))],
                    }
                )
                .OrderBy(table => table.Name, StringComparer.Ordinal),
        ];

    /// <summary>
    /// Tables, and columns as <c>table.column</c>, of which a store elsewhere knows nothing: they say how this engine's
    /// writer reads a lost commit back.
    /// </summary>
    protected abstract IReadOnlySet<string> Own { get; }

    protected DbConnection Connection { get; } = connection;

    /// <summary>How much room it takes.</summary>
    public abstract long Bytes();

    /// <summary>The migrations that it has had, by their names, oldest first; none where it is no store yet.</summary>
    public IReadOnlyList<string> Migrations() =>
        Describe().Any(table => table.Name.Equals(SqlMigrations.Journal, StringComparison.OrdinalIgnoreCase))
            ?
            [
                .. Read($"SELECT scriptname FROM {SqlMigrations.Journal}", row => row.GetString(0))
                    .Select(name => SqlMigrations.NameOf(name, Engine))
                    .Order(StringComparer.Ordinal),
            ]
            : [];

    /// <summary>How many rows a table has.</summary>
    public long Count(SqlTable table) => Read($"SELECT count(*) FROM {Quoted(table.Name)}", row => row.GetInt64(0))[0];

    /// <summary>Reads rows.</summary>
    public List<T> Read<T>(string sql, Func<DbDataReader, T> map)
    {
        using var command = Command(sql);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    /// <summary>A statement that may take as long as it takes: it reads or writes what may be large.</summary>
    public DbCommand Command(string sql)
    {
        var command = Connection.CreateCommand();
        (command.CommandText, command.CommandTimeout) = (sql, 0);
        return command;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A name within a statement. Both engines take it so.</summary>
    public static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    protected virtual void Dispose(bool disposing) => Connection.Dispose();

    /// <summary>All tables, in any order.</summary>
    protected abstract IEnumerable<SqlTable> Describe();
}
