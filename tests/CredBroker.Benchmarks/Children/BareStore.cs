using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// SQLite with <c>synchronous=FULL</c> and one writer that commits everybody who waits in one transaction; each write
/// takes its hash-chained audit row along.
/// </summary>
internal sealed class BareStore : IDisposable
{
    private const int MaxBatch = 256;

    private readonly BlockingCollection<(BareWrite Write, string EventType, TaskCompletionSource Done)> _queue = [];
    private readonly SqliteConnection _connection;
    private readonly Thread _writer;

    public BareStore(string path)
    {
        _connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString()
        );
        _connection.Open();
        Execute(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            CREATE TABLE lease (
              id TEXT PRIMARY KEY, state TEXT NOT NULL, handle TEXT NOT NULL, expires_at INTEGER NOT NULL,
              body BLOB NOT NULL) WITHOUT ROWID;
            CREATE INDEX lease_due ON lease (expires_at);
            CREATE TABLE audit (sequence INTEGER PRIMARY KEY, line BLOB NOT NULL);
            """
        );
        _writer = new Thread(Write) { IsBackground = true, Name = "commit" };
        _writer.Start();
    }

    public Task CommitAsync(BareWrite write, string eventType)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add((write, eventType, done));
        return done.Task;
    }

    public void Dispose()
    {
        _queue.CompleteAdding();
        _writer.Join();
        _queue.Dispose();
        _connection.Dispose();
    }

    private void Write()
    {
        using var begin = Command("BEGIN IMMEDIATE");
        using var commit = Command("COMMIT");
        using var upsert = Command(
            "INSERT INTO lease VALUES ($id, $state, $handle, $expires, $body) ON CONFLICT (id) "
                + "DO UPDATE SET state = excluded.state, handle = excluded.handle, expires_at = excluded.expires_at",
            "$id",
            "$state",
            "$handle",
            "$expires",
            "$body"
        );
        using var append = Command("INSERT INTO audit VALUES ($sequence, $line)", "$sequence", "$line");
        var batch = new List<TaskCompletionSource>(MaxBatch);
        var (sequence, previous) = (0L, new string('0', 64));
        foreach (var first in _queue.GetConsumingEnumerable())
        {
            begin.ExecuteNonQuery();
            var next = first;
            do
            {
                var (write, eventType, done) = next;
                upsert.Parameters[0].Value = write.LeaseId;
                upsert.Parameters[1].Value = write.State;
                upsert.Parameters[2].Value = write.Handle;
                upsert.Parameters[3].Value = sequence;
                upsert.Parameters[4].Value = write.Lease;
                upsert.ExecuteNonQuery();

                var (time, lease) = (TimeProvider.System.GetUtcNow(), Encoding.UTF8.GetString(write.Lease));
                var line = Encoding.UTF8.GetBytes(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $$"""{"sequence":{{++sequence}}"""
                            + $$""","previous":"{{previous}}","time":"{{time:O}}","type":"{{eventType}}","""
                            + $$""" "leaseId":"{{write.LeaseId}}","details":{{lease}}}"""
                    )
                );
                previous = Convert.ToHexStringLower(SHA256.HashData(line));
                append.Parameters[0].Value = sequence;
                append.Parameters[1].Value = line;
                append.ExecuteNonQuery();
                batch.Add(done);
            } while (batch.Count < MaxBatch && _queue.TryTake(out next));

            commit.ExecuteNonQuery();
            batch.ForEach(done => done.SetResult());
            batch.Clear();
        }
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

    private void Execute(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }
}

/// <summary>One write of a lease's row.</summary>
internal sealed record BareWrite(string LeaseId, string State, byte[] Lease, string Handle);
