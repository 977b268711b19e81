using Microsoft.Data.Sqlite;

namespace CredBroker.Benchmarks.Children;

/// <summary>SQLite with <c>synchronous=FULL</c>: a row for the lease, and one for the audit log.</summary>
internal sealed class BareSqlite : BareStore
{
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _begin;
    private readonly SqliteCommand _commit;
    private readonly SqliteCommand _upsert;
    private readonly SqliteCommand _append;

    public BareSqlite(string path)
    {
        _connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString()
        );
        _connection.Open();
        using (
            var schema = Command(
                """
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                CREATE TABLE lease (
                  id TEXT PRIMARY KEY, state TEXT NOT NULL, handle TEXT NOT NULL, expires_at INTEGER NOT NULL,
                  body BLOB NOT NULL) WITHOUT ROWID;
                CREATE INDEX lease_due ON lease (expires_at);
                CREATE TABLE audit (sequence INTEGER PRIMARY KEY, line BLOB NOT NULL);
                """
            )
        )
        {
            schema.ExecuteNonQuery();
        }

        (_begin, _commit) = (Command("BEGIN IMMEDIATE"), Command("COMMIT"));
        _upsert = Command(
            "INSERT INTO lease VALUES ($id, $state, $handle, $expires, $body) ON CONFLICT (id) "
                + "DO UPDATE SET state = excluded.state, handle = excluded.handle, expires_at = excluded.expires_at",
            "$id",
            "$state",
            "$handle",
            "$expires",
            "$body"
        );
        _append = Command("INSERT INTO audit VALUES ($sequence, $line)", "$sequence", "$line");
        Start();
    }

    protected override void Begin() => _begin.ExecuteNonQuery();

    protected override void Put(BareWrite write, string eventType)
    {
        _upsert.Parameters[0].Value = write.LeaseId;
        _upsert.Parameters[1].Value = write.State;
        _upsert.Parameters[2].Value = write.Handle;
        _upsert.Parameters[3].Value = Sequence;
        _upsert.Parameters[4].Value = write.Lease;
        _upsert.ExecuteNonQuery();

        _append.Parameters[1].Value = NextLine(write, eventType);
        _append.Parameters[0].Value = Sequence;
        _append.ExecuteNonQuery();
    }

    protected override void Commit() => _commit.ExecuteNonQuery();

    protected override void Close()
    {
        _append.Dispose();
        _upsert.Dispose();
        _commit.Dispose();
        _begin.Dispose();
        _connection.Dispose();
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<string> parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var name in parameters)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        }

        return command;
    }
}
