using System.Text;
using System.Text.RegularExpressions;
using CredBroker.Storage.Sql;
using Npgsql;
using NpgsqlTypes;

namespace CredBroker.Storage.PostgreSql;

/// <summary>
/// A statement of the writer's connection. Its parameters are given by place, so that nothing is parsed each time, and
/// with their types. The server prepares it once it has run a few times. It can stand in a batch several times: each
/// time it is set there is a command of its own, until all that were sent are over.
/// </summary>
internal sealed partial class PostgresStatement : SqlStatement
{
    private readonly PostgresSession _session;
    private readonly SqlType[] _types;
    private readonly List<NpgsqlBatchCommand> _commands = [];
    private int _used;
    private NpgsqlDataReader? _reader;

    public PostgresStatement(
        PostgresSession session,
        string sql,
        ReadOnlySpan<(string Name, SqlValue Value)> parameters
    )
    {
        _session = session;
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        _types = new SqlType[parameters.Length];
        foreach (var (name, value) in parameters)
        {
            _types[places.Count] = value.Type;
            places.Add(name, $"${places.Count + 1}");
        }

        Sql = Parameter().Replace(sql, name => places[name.Value]);
    }

    /// <summary>As it goes to the server, the same each time.</summary>
    public string Sql { get; }

    /// <summary>The statement as it was set last and goes to the server.</summary>
    public NpgsqlBatchCommand Command => _commands[_used - 1];

    public override int Changes => (int)Command.RecordsAffected;

    /// <summary>Sets it anew, in a command of its own.</summary>
    public override void Bind(ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        _session.Lend(this);
        if (_used == _commands.Count)
        {
            _commands.Add(Make());
        }

        _used++;
        for (var i = 0; i < parameters.Length; i++)
        {
            Command.Parameters[i].Value = ValueOf(in parameters[i].Value);
        }
    }

    /// <summary>Its commands may be set again: what was sent is over.</summary>
    public void TakeBack() => _used = 0;

    /// <summary>Has the row that the reader is at read by its columns.</summary>
    public T? MapFirst<T>(NpgsqlDataReader reader, Func<SqlStatement, T> map)
    {
        _reader = reader;
        try
        {
            return reader.Read() ? map(this) : default;
        }
        finally
        {
            _reader = null;
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

    private NpgsqlBatchCommand Make()
    {
        var command = new NpgsqlBatchCommand(Sql);
        foreach (var type in _types)
        {
            command.Parameters.Add(new() { NpgsqlDbType = TypeOf(type) });
        }

        return command;
    }

    public static NpgsqlDbType TypeOf(SqlType type) =>
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
