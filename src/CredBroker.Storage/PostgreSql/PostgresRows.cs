using CredBroker.Storage.Sql;
using Npgsql;
using NpgsqlTypes;

namespace CredBroker.Storage.PostgreSql;

/// <summary>
/// Rows of one kind in one statement: to the server starting a statement is half of what writing a row costs. Each
/// parameter is an array with a value for each row.
/// </summary>
internal sealed class PostgresRows
{
    private readonly string _text;
    private readonly SqlType[] _types;

    public PostgresRows(string sql, ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        _types = new SqlType[parameters.Length];
        var (names, arrays) = (new string[parameters.Length], new string[parameters.Length]);
        for (var i = 0; i < parameters.Length; i++)
        {
            _types[i] = parameters[i].Value.Type;
            names[i] = parameters[i].Name[1..];
            arrays[i] = $"${i + 1}";
        }

        _text = $"WITH rows ({string.Join(", ", names)}) AS (SELECT * FROM unnest({string.Join(", ", arrays)})) {sql}";
    }

    /// <summary>The one statement for what these commands write, in their order.</summary>
    public NpgsqlBatchCommand Of(List<NpgsqlBatchCommand> rows)
    {
        var together = new NpgsqlBatchCommand(_text);
        for (var i = 0; i < _types.Length; i++)
        {
            together.Parameters.Add(
                new()
                {
                    NpgsqlDbType = NpgsqlDbType.Array | PostgresStatement.TypeOf(_types[i]),
                    Value = _types[i] == SqlType.Number ? Column<long?>(rows, i) : Column<byte[]?>(rows, i),
                }
            );
        }

        return together;
    }

    private static T[] Column<T>(List<NpgsqlBatchCommand> rows, int place)
    {
        var values = new T[rows.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = rows[i].Parameters[place].Value is T value ? value : default!;
        }

        return values;
    }
}
