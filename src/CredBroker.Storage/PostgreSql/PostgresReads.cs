using CredBroker.Core.State;
using CredBroker.Storage.Sql;
using Dapper;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <summary>Queries on pooled connections that can only read.</summary>
internal sealed class PostgresReads(PostgresDatabase database) : SqlReads
{
    public override async ValueTask<T?> FirstAsync<T>(
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    )
        where T : default =>
        await ReadAsync(
            (connection, query) => connection.QueryFirstOrDefaultAsync<T>(query),
            new(sql, parameters, cancellationToken: cancellationToken)
        );

    public override async ValueTask<List<T>> AllAsync<T>(
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    ) =>
        (
            await ReadAsync(
                (connection, query) => connection.QueryAsync<T>(query),
                new(sql, parameters, cancellationToken: cancellationToken)
            )
        ).AsList();

    public override string IsAmong(string column, string parameter) => $"{column} = ANY(@{parameter})";

    public override string IsAmongMany(string column, string parameter) =>
        $"{column} IN (SELECT json_array_elements_text(CAST(@{parameter} AS json)))";

    /// <summary>
    /// As an array, which is complete before anything is looked up: of IN the planner made a merge with the whole index,
    /// from its newest end to what is looked for.
    /// </summary>
    public override string IsAmongFound(string column, string query) => $"{column} = ANY(ARRAY({query}))";

    private async ValueTask<T> ReadAsync<T>(
        Func<NpgsqlConnection, CommandDefinition, Task<T>> query,
        CommandDefinition command
    )
    {
        try
        {
            await using var connection = await database.OpenReaderAsync(command.CancellationToken);
            return await query(connection, command);
        }
        catch (NpgsqlException e)
        {
            throw new StoreUnavailableException($"The store does not answer: {e.Message}", e);
        }
        catch (ObjectDisposedException e)
        {
            throw new StoreUnavailableException("The store is closed.", e);
        }
    }
}
