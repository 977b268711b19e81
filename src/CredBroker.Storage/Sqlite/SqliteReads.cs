using CredBroker.Storage.Sql;
using Dapper;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// Queries on pooled connections that can only read. SQLite answers on the caller's thread, so nothing here waits.
/// </summary>
internal sealed class SqliteReads(SqliteFile file) : SqlReads
{
    public override ValueTask<T?> FirstAsync<T>(string sql, object? parameters, CancellationToken cancellationToken)
        where T : default
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(file.Read(connection => connection.QueryFirstOrDefault<T>(sql, parameters)));
    }

    public override ValueTask<List<T>> AllAsync<T>(string sql, object? parameters, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(file.Read(connection => connection.Query<T>(sql, parameters).AsList()));
    }

    public override string IsAmong(string column, string parameter) => $"{column} IN @{parameter}";

    public override string IsAmongMany(string column, string parameter) =>
        $"{column} IN (SELECT value FROM json_each(@{parameter}))";

    public override string UseIndex(string index) => $" INDEXED BY {index}";
}
