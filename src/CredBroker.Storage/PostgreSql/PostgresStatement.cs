using System.Text;
using System.Text.RegularExpressions;
using CredBroker.Storage.Sql;
using Npgsql;
using NpgsqlTypes;

namespace CredBroker.Storage.PostgreSql;

/// <summary>
/// A statement of the writer's connection. Its parameters are given by place, so that nothing is parsed each time, and
/// with their types. The server prepares it once it has run a few times.
/// </summary>
internal sealed partial class PostgresStatement : SqlStatement
{
    private readonly PostgresSession _session;
    private NpgsqlDataReader? _reader;

    public PostgresStatement(
        PostgresSession session,
        string sql,
        ReadOnlySpan<(string Name, SqlValue Value)> parameters
    )
    {
        _session = session;
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in parameters)
        {
            places.Add(name, $"${places.Count + 1}");
            Command.Parameters.Add(new() { NpgsqlDbType = TypeOf(value.Type) });
        }

        Command.CommandText = Parameter().Replace(sql, name => places[name.Value]);
    }

    /// <summary>The statement, as it goes to the server.</summary>
    public NpgsqlBatchCommand Command { get; } = new();

    public override int Changes => (int)Command.RecordsAffected;

    public override void Bind(ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        for (var i = 0; i < parameters.Length; i++)
        {
            Command.Parameters[i].Value = ValueOf(in parameters[i].Value);
        }
    }

    public override bool Step() => (_reader ??= _session.Run(Command)).Read();

    public override void Reset()
    {
        _reader?.Dispose();
        _reader = null;
    }

    public override bool IsNull(int column) => _reader!.IsDBNull(column);

    public override long Number(int column) => _reader!.GetInt64(column);

    public override string Text(int column) => _reader!.GetString(column);

    public override byte[] Bytes(int column) => _reader!.GetFieldValue<byte[]>(column);

    public override void Dispose() => Reset();

    private static NpgsqlDbType TypeOf(SqlType type) =>
        type switch
        {
            SqlType.Number => NpgsqlDbType.Bigint,
            SqlType.Text or SqlType.Utf8Text => NpgsqlDbType.Text,
            SqlType.Bytes => NpgsqlDbType.Bytea,
            _ => throw new InvalidOperationException($"No column holds a {type}."),
        };

    // Text is encoded here, as it is for SQLite: half a surrogate pair becomes U+FFFD, where Npgsql would throw in the
    // middle of what it sends.
    private static object ValueOf(in SqlValue value) =>
        value.IsNull
            ? DBNull.Value
            : value.Type switch
            {
                SqlType.Number => value.Number,
                SqlType.Text => Encoding.UTF8.GetBytes(value.Text),
                _ => value.Bytes,
            };

    [GeneratedRegex("@[a-z_]+")]
    private static partial Regex Parameter();
}
