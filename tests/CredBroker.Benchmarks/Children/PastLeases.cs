using System.Globalization;
using Npgsql;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// A history straight in the tables of a PostgreSQL store: copies of the leases that a broker has issued and revoked
/// there, with ids, handles, tasks and times of their own over a year, their decisions, and as many audit records as each
/// of them left. The copied records are the size and the number of real ones and no chain that verifies: they stand in a
/// stream of their own before the others.
/// </summary>
internal sealed class PastLeases(BenchPostgres postgres, string schema)
{
    private const int AtOnce = 100_000;
    private const int FirstDecision = 1_000;
    private const string Id = "lpad(to_hex(at), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15)";

    private static readonly Dictionary<string, string> Own = new(StringComparer.Ordinal)
    {
        ["id"] = "p.id",
        ["decision"] = $"p.n + {FirstDecision}",
        ["task"] = "'past-' || p.n / 10",
        ["instance"] = "'worker-' || p.n % 1000",
        ["accessor"] = "'a' || substr(p.hash, 1, 16)",
        ["vault_lease_id"] = "'database/creds/cb-bench-reports/' || p.id",
        ["public_name"] = "'cb-' || p.id",
        ["opened_at"] = Shifted("opened_at"),
        ["issuance_deadline"] = Shifted("issuance_deadline"),
        ["activated_at"] = Shifted("activated_at"),
        ["expires_at"] = Shifted("expires_at"),
        ["grace_until"] = Shifted("grace_until"),
        ["revocation_requested_at"] = Shifted("revocation_requested_at"),
        ["confirmed_at"] = Shifted("confirmed_at"),
        ["accessor_revoked_at"] = Shifted("accessor_revoked_at"),
    };

    /// <summary>Writes them, and returns how many audit records each lease has.</summary>
    public async Task<long> WriteAsync(long leases)
    {
        await using var connection = await postgres.ConnectAsync();
        await ExecuteAsync(connection, $"SET search_path = {schema}");
        await ExecuteAsync(
            connection,
            """
            CREATE TEMP TABLE template AS SELECT * FROM lease WHERE state = 'revoked' ORDER BY id LIMIT 1;
            CREATE TEMP TABLE record AS
              SELECT row_number() OVER (ORDER BY stream, sequence) AS k, r.bytes FROM audit_record r, template t
              WHERE position(convert_to(t.id, 'UTF8') IN r.bytes) > 0;
            INSERT INTO audit_stream (number, id) VALUES (0, '00000000000070008000000000000000');
            """
        );
        var columns = new List<string>();
        await using (
            var command = new NpgsqlCommand(
                $"""
                SELECT column_name FROM information_schema.columns
                WHERE table_schema = '{schema}' AND table_name = 'lease' AND is_generated = 'NEVER'
                """,
                connection
            )
        )
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                columns.Add(reader.GetString(0));
            }
        }

        for (var first = 1L; first <= leases; first += AtOnce)
        {
            await ExecuteAsync(
                connection,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"""
                    DROP TABLE IF EXISTS past;
                    CREATE TEMP TABLE past AS
                      SELECT n, at, hash, {Id} AS id FROM (
                        SELECT n, md5(n::text) AS hash,
                          (extract(epoch FROM now()) * 1000)::bigint - 86400000 - ({leases} - n) * (31536000000 / {leases}) AS at
                        FROM generate_series({first}, {Math.Min(first + AtOnce - 1, leases)}) AS n) AS numbers;
                    INSERT INTO task (process, id, issuer, workload, opened_at)
                      SELECT DISTINCT ON (p.n / 10) t.process, 'past-' || p.n / 10, t.issuer, t.workload, p.at FROM past p, template t
                      ON CONFLICT DO NOTHING;
                    INSERT INTO decision (number, id, lease, at, record)
                      SELECT p.n + {FirstDecision}, md5(p.hash), p.id, p.at, d.record
                      FROM past p, template t JOIN decision d ON d.number = t.decision ORDER BY p.n;
                    INSERT INTO lease ({string.Join(", ", columns)})
                      SELECT {string.Join(", ", columns.Select(column => Own.GetValueOrDefault(column, $"t.{column}")))}
                      FROM past p, template t ORDER BY p.n;
                    INSERT INTO audit_record (stream, sequence, bytes)
                      SELECT 0, (p.n - 1) * (SELECT count(*) FROM record) + r.k, r.bytes FROM past p, record r ORDER BY p.n, r.k;
                    INSERT INTO audit_batch (stream, time, sequence)
                      SELECT 0, p.at, (p.n - 1) * (SELECT count(*) FROM record) + 1 FROM past p WHERE p.n % 2 = 1 ORDER BY p.n;
                    """
                )
            );
        }

        await ExecuteAsync(connection, "VACUUM (FREEZE, ANALYZE)");
        await using var records = new NpgsqlCommand("SELECT count(*) FROM record", connection);
        return (long)(await records.ExecuteScalarAsync())!;
    }

    private static string Shifted(string column) => $"t.{column} - t.opened_at + p.at";

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }
}
