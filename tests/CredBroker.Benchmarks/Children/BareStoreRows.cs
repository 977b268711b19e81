using System.Security.Cryptography;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// The rows of an exchange in the store's own tables, as many and as long as the store's are, with nothing checked.
/// </summary>
internal sealed class BareStoreRows : BarePostgres
{
    private readonly byte[] _record;
    private byte[] _previous = new byte[32];
    private long _made;
    private long _now;
    private long _begin;

    /// <param name="settings">A connection string that leads to a schema with the store's tables.</param>
    /// <param name="recordLength">How long an audit record is.</param>
    public BareStoreRows(string settings, int recordLength)
        : base(settings)
    {
        _record = new byte[recordLength];
        // Behind what the store itself has written there.
        Sequence = 1_000_000;
        Start();
    }

    protected override void Begin()
    {
        base.Begin();
        (_now, _begin) = (TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), Sequence + 1);
    }

    protected override void Put(BareWrite write, string eventType)
    {
        if (write.State == "pending")
        {
            Open(write.LeaseId);
        }
        else
        {
            Activate(write.LeaseId, write.Handle);
        }

        _previous = SHA256.HashData(_record);
        Add(
            "INSERT INTO audit_record (stream, sequence, bytes) VALUES (1, $1, $2)",
            ++Sequence,
            (byte[])[.. _previous, .. _record.AsSpan(_previous.Length)]
        );
    }

    protected override void Commit()
    {
        Add("INSERT INTO audit_batch (stream, time, sequence) VALUES (1, $1, $2)", _now, _begin);
        Add("UPDATE store SET clock = $1, counted = $2", _now, _now);
        base.Commit();
    }

    private void Open(string lease)
    {
        Add(
            """
            INSERT INTO task (process, id, issuer, workload, opened_at)
            VALUES ('monthly-reports', $1, 'https://issuer', 'worker', $2) ON CONFLICT DO NOTHING
            """,
            $"task-{_made++ % 20_000}",
            _now
        );
        Add(
            """
            INSERT INTO lease (
              id, state, decision, told_stream, told_sequence, agent, workload, instance, subject, task, process, credential, owner, issuer,
              trust_domain, backend, accessor, public_name, opened_at, issuance_deadline)
            VALUES (
              $1, 'pending', 0, 1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, '', $11, $12, $13, $14, $15)
            """,
            lease,
            Sequence + 1,
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
            _now,
            _now + 30_000
        );
    }

    private void Activate(string lease, string vaultLease) =>
        Add(
            """
            UPDATE lease SET state = 'active', activated_at = $2, expires_at = $3, grace_until = $3,
              vault_lease_id = $4, public_name = $5
            WHERE id = $1 AND state = 'pending'
            """,
            lease,
            _now,
            _now + 600_000,
            vaultLease,
            "cb-" + lease
        );
}
