using Npgsql;
using NpgsqlTypes;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// PostgreSQL, where all that waits is one <see cref="NpgsqlBatch"/>: one transaction, one trip, nothing asked.
/// </summary>
internal abstract class BarePostgres : BareStore
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlBatch _batch;

    /// <param name="settings">A connection string that leads to the schema.</param>
    protected BarePostgres(string settings)
    {
        _connection = new(
            new NpgsqlConnectionStringBuilder(settings)
            {
                Pooling = false,
                MaxAutoPrepare = 200,
                AutoPrepareMinUsages = 2,
            }.ConnectionString
        );
        _connection.Open();
        _batch = new(_connection);
    }

    protected override void Begin() => _batch.BatchCommands.Clear();

    protected override void Commit() => _batch.ExecuteNonQuery();

    protected override void Close()
    {
        _batch.Dispose();
        _connection.Dispose();
    }

    protected void Add(string sql, params ReadOnlySpan<object> values)
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

        _batch.BatchCommands.Add(command);
    }
}

/// <summary>What <see cref="BareSqlite"/> writes: a row for the lease, and one for the audit log.</summary>
internal sealed class BareTwoTables : BarePostgres
{
    public BareTwoTables(string settings)
        : base(settings)
    {
        Begin();
        Add(
            """
            CREATE TABLE lease (
              id TEXT COLLATE "C" PRIMARY KEY, state TEXT NOT NULL, handle TEXT NOT NULL, expires_at BIGINT NOT NULL,
              body BYTEA NOT NULL)
            """
        );
        Add("CREATE INDEX lease_due ON lease (expires_at)");
        Add("CREATE TABLE audit (sequence BIGINT PRIMARY KEY, line BYTEA NOT NULL)");
        Commit();
        Start();
    }

    protected override void Put(BareWrite write, string eventType)
    {
        Add(
            """
            INSERT INTO lease VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id)
            DO UPDATE SET state = excluded.state, handle = excluded.handle, expires_at = excluded.expires_at
            """,
            write.LeaseId,
            write.State,
            write.Handle,
            Sequence,
            write.Lease
        );
        var line = NextLine(write, eventType);
        Add("INSERT INTO audit VALUES ($1, $2)", Sequence, line);
    }
}
