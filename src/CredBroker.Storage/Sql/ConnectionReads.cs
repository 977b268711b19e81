using System.Data.Common;
using Dapper;

namespace CredBroker.Storage.Sql;

/// <summary>
/// Queries on one connection, within the transaction that is open there: they see what it has not committed yet.
/// </summary>
internal sealed class ConnectionReads(DbConnection connection) : SqlReads
{
    public override async ValueTask<T?> FirstAsync<T>(
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    )
        where T : default => await connection.QueryFirstOrDefaultAsync<T>(Command(sql, parameters, cancellationToken));

    public override async ValueTask<List<T>> AllAsync<T>(
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    ) => (await connection.QueryAsync<T>(Command(sql, parameters, cancellationToken))).AsList();

    public override string IsAmong(string column, string parameter) => throw NoList();

    public override string IsAmongMany(string column, string parameter) => throw NoList();

    private static NotSupportedException NoList() => new("The audit log, which is what is read so, asks for no list.");

    private static CommandDefinition Command(string sql, object? parameters, CancellationToken cancellationToken) =>
        new(sql, parameters, commandTimeout: 0, cancellationToken: cancellationToken);
}
