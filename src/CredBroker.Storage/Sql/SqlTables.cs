using System.Data.Common;
using System.Text;
using CredBroker.Storage.Sql.Audit;

namespace CredBroker.Storage.Sql;

/// <summary>
/// A store's tables as they lie there, of whatever noun they are: for what is done to a store as a whole. Which tables
/// and columns there are, the database is asked, so that one that is added later is not forgotten.
/// </summary>
internal abstract class SqlTables(string engine, string place, DbConnection connection) : IDisposable
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private IReadOnlyList<SqlTable>? _all;
    private bool _isDisposed;

    /// <summary>The folder of its migrations.</summary>
    public string Engine { get; } = engine;

    /// <summary>Where it is, as a message names it; no secret.</summary>
    public string Place { get; } = place;

    /// <summary>
    /// The same, and what tells it from another place that is called so: an address can come to lead to another server.
    /// </summary>
    public virtual string Whereabouts => Place;

    /// <summary>
    /// All tables but the record of migrations and <see cref="Own"/>, and their columns, by name: in the same order on every
    /// engine.
    /// </summary>
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
                        Columns =
                        [
                            .. table
                                .Columns.Where(column => !Own.Contains($"{table.Name}.{column.Name}"))
                                .OrderBy(column => column.Name, StringComparer.Ordinal),
                        ],
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

    /// <summary>Whether a table has any.</summary>
    public bool HasRows(SqlTable table) => Read($"SELECT 1 FROM {Quoted(table.Name)} LIMIT 1", _ => true).Count > 0;

    /// <summary>
    /// All rows of a table in the order of its key, which is the same on every engine: numbers as <see cref="long"/>,
    /// text (in UTF-8) and bytes as they lie there. The array is the same for each.
    /// </summary>
    public IEnumerable<object?[]> Rows(SqlTable table)
    {
        var key = table.Key.Count > 0 ? table.Key : [.. table.Columns.Select(column => column.Name)];
        var order = key.Select(name => Sorted(table.Columns.Single(column => column.Name == name)));
        using var command = Command(
            $"SELECT {Names(table)} FROM {Quoted(table.Name)} ORDER BY {string.Join(", ", order)}"
        );
        using var reader = command.ExecuteReader();
        var row = new object?[table.Columns.Count];
        while (reader.Read())
        {
            for (var i = 0; i < row.Length; i++)
            {
                row[i] = reader.IsDBNull(i) ? null : Value(reader, i, table.Columns[i].Type);
            }

            yield return row;
        }
    }

    /// <summary>Puts rows, as <see cref="Rows"/> gives them, into the table of this name.</summary>
    public abstract void Fill(SqlTable table, IEnumerable<object?[]> rows);

    /// <summary>After all was filled: what numbers rows goes on after them.</summary>
    public abstract void Settle();

    /// <summary>Begins a transaction beside which no broker writes.</summary>
    public abstract void Begin();

    /// <summary>Commits it.</summary>
    public void Commit() => Execute("COMMIT");

    /// <summary>The audit log, as the transaction sees it.</summary>
    public SqlAuditReader Log() => new(new ConnectionReads(Connection));

    /// <summary>Runs a statement; returns how many rows it changed.</summary>
    public int Execute(string sql, params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        using var command = Command(sql);
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value ?? (object)DBNull.Value);
            command.Parameters.Add(parameter);
        }

        return command.ExecuteNonQuery();
    }

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
        if (!_isDisposed)
        {
            _isDisposed = true;
            Dispose(true);
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>A name within a statement. Both engines take it so.</summary>
    public static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>A table's columns within a statement.</summary>
    protected static string Names(SqlTable table) =>
        string.Join(", ", table.Columns.Select(column => Quoted(column.Name)));

    /// <summary>Text that is to be exactly this; damaged one is a fault, not changed in silence.</summary>
    protected static string Text(object value) => Strict.GetString((byte[])value);

    /// <summary>A column as a key to sort by, byte for byte.</summary>
    protected virtual string Sorted(SqlColumn column) => Quoted(column.Name);

    protected virtual void Dispose(bool disposing) => Connection.Dispose();

    /// <summary>All tables, in any order.</summary>
    protected abstract IEnumerable<SqlTable> Describe();

    private static object Value(DbDataReader row, int column, SqlType type) =>
        type == SqlType.Number ? row.GetInt64(column) : row.GetFieldValue<byte[]>(column);
}
