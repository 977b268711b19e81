using System.Collections.Concurrent;
using System.Security.Cryptography;
using Npgsql;
using NpgsqlTypes;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// A loop that writes the rows of an exchange into the store's own tables, as long as the store's are, and checks
/// nothing: whoever waits is in the next <see cref="NpgsqlBatch"/>, which is one transaction and one trip.
/// </summary>
internal sealed class BarePostgres : IDisposable
{
    private const int MaxBatch = 256;

    private readonly BlockingCollection<(string Lease, bool IsOpened, TaskCompletionSource Done)> _queue = [];
    private readonly NpgsqlConnection _connection;
    private readonly Thread _writer;
    private readonly string _decision;
    private readonly byte[] _record;
    private byte[] _previous = new byte[32];
    private long _made;

    /// <param name="settings">A connection string that leads to a schema with the store's tables.</param>
    /// <param name="decisionLength">How long a decision's text is.</param>
    /// <param name="recordLength">How long an audit record is.</param>
    public BarePostgres(string settings, int decisionLength, int recordLength)
    {
        _decision = new('x', decisionLength);
        _record = new byte[recordLength];
        _connection = new(
            new NpgsqlConnectionStringBuilder(settings)
            {
                Pooling = false,
                MaxAutoPrepare = 200,
                AutoPrepareMinUsages = 2,
            }.ConnectionString
        );
        _connection.Open();
        _writer = new Thread(Write) { IsBackground = true, Name = "commit" };
        _writer.Start();
    }

    public Task CommitAsync(string lease, bool isOpened)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add((lease, isOpened, done));
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
        using var batch = new NpgsqlBatch(_connection);
        var waiting = new List<TaskCompletionSource>(MaxBatch);
        var sequence = 1_000_000L;
        foreach (var first in _queue.GetConsumingEnumerable())
        {
            batch.BatchCommands.Clear();
            var (now, next, begin) = (TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), first, sequence + 1);
            do
            {
                if (next.IsOpened)
                {
                    Open(batch, next.Lease, now);
                }
                else
                {
                    Activate(batch, next.Lease, now);
                }

                _previous = SHA256.HashData(_record);
                Add(
                    batch,
                    "INSERT INTO audit_record (stream, sequence, bytes) VALUES (1, $1, $2)",
                    ++sequence,
                    _record.ToArray()
                );
                waiting.Add(next.Done);
            } while (waiting.Count < MaxBatch && _queue.TryTake(out next));

            Add(batch, "INSERT INTO audit_batch (stream, time, sequence) VALUES (1, $1, $2)", now, begin);
            Add(batch, "UPDATE store SET clock = $1, counted = $2", now, now);
            batch.ExecuteNonQuery();
            waiting.ForEach(done => done.SetResult());
            waiting.Clear();
        }
    }

    private void Open(NpgsqlBatch batch, string lease, long now)
    {
        Add(
            batch,
            """
            INSERT INTO task (process, id, issuer, workload, opened_at)
            VALUES ('monthly-reports', $1, 'https://issuer', 'worker', $2) ON CONFLICT DO NOTHING
            """,
            $"task-{_made++ % 20_000}",
            now
        );
        Add(batch, "INSERT INTO decision (id, lease, at, record) VALUES ($1, $1, $2, $3)", lease, now, _decision);
        Add(
            batch,
            """
            INSERT INTO lease (
              id, state, decision, agent, workload, instance, subject, task, process, credential, owner, issuer,
              trust_domain, backend, accessor, public_name, opened_at, issuance_deadline)
            VALUES (
              $1, 'pending', $2, $3, $4, $5, $6, $7, $8, $9, '', $10, '', $11, $12, $13, $14, $15)
            """,
            lease,
            _made,
            "reporter",
            "worker",
            "worker-1",
            "worker",
            "task-1",
            "monthly-reports",
            "reports",
            "https://issuer",
            "database",
            "a0123456789abcdef",
            "cb-" + lease,
            now,
            now + 30_000
        );
    }

    private static void Activate(NpgsqlBatch batch, string lease, long now) =>
        Add(
            batch,
            """
            UPDATE lease SET state = 'active', activated_at = $2, expires_at = $3, grace_until = $3,
              vault_lease_id = $4, public_name = $5
            WHERE id = $1 AND state = 'pending'
            """,
            lease,
            now,
            now + 600_000,
            $"database/creds/cb-bench-reports/{lease}",
            "cb-" + lease
        );

    private static void Add(NpgsqlBatch batch, string sql, params ReadOnlySpan<object> values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(
                new()
                {
                    Value = value,
                    NpgsqlDbType = value switch
                    {
                        long => NpgsqlDbType.Bigint,
                        byte[] => NpgsqlDbType.Bytea,
                        _ => NpgsqlDbType.Text,
                    },
                }
            );
        }

        batch.BatchCommands.Add(command);
    }
}
