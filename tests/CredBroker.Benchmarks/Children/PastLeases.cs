using System.Data.Common;
using System.Globalization;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// A history straight in a store's tables: copies of the leases that a broker has issued and revoked there, with ids,
/// handles, tasks and times of their own over a year, and audit records of theirs, those that one of them left over and
/// over. The copied records are the size of real ones and no chain that verifies, but the one that tells a decision names
/// its lease: they stand in a stream of their own before the others.
/// </summary>
internal abstract class PastLeases
{
    private const int AtOnce = 100_000;
    private const string Task = "'past-' || (p.n / 10)";
    private const long Day = 86_400_000;
    private const long Year = 365 * Day;

    private static readonly Dictionary<string, string> Own = new(StringComparer.Ordinal)
    {
        ["id"] = "p.id",
        ["told_stream"] = "0",
        ["task"] = Task,
        ["instance"] = "'worker-' || (p.n % 1000)",
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

    /// <summary>A query for the columns of <c>lease</c> that are no others' result.</summary>
    protected abstract string Columns { get; }

    /// <summary>Whether the record <c>r</c> names the lease <c>t</c>.</summary>
    protected abstract string IsOfLease { get; }

    /// <summary>The bytes of the record <c>r</c>, with lease and task of <c>p</c> where those of <c>t</c> stand.</summary>
    protected abstract string Renamed { get; }

    /// <summary>The twelve digits of a lease's id that say its time <c>at</c>.</summary>
    protected abstract string TimeOfId { get; }

    /// <summary>32 hexadecimal digits that a text has to itself.</summary>
    protected abstract string HashOf(string text);

    /// <summary>A table of these numbers, as the column <c>n</c>.</summary>
    protected abstract string Numbers(long first, long last);

    /// <summary>Opens a connection that is used for nothing else.</summary>
    protected abstract Task<DbConnection> ConnectAsync();

    /// <summary>Leaves the tables as they are where such a history has grown by and by.</summary>
    protected abstract string Settle { get; }

    /// <summary>Writes them, with so many audit records each.</summary>
    public async Task WriteAsync(long leases, long recordsEach)
    {
        await using var connection = await ConnectAsync();
        await ExecuteAsync(
            connection,
            $"""
            CREATE TEMP TABLE template AS SELECT * FROM lease WHERE state = 'revoked' ORDER BY id LIMIT 1;
            CREATE TEMP TABLE record AS
              SELECT row_number() OVER (ORDER BY stream, sequence) AS k, r.bytes,
                (r.stream, r.sequence) = (t.told_stream, t.told_sequence) AS tells
              FROM audit_record r, template t WHERE {IsOfLease};
            INSERT INTO audit_stream (number, id) VALUES (0, '00000000000070008000000000000000');
            """
        );
        var records = Convert.ToInt64(
            await ReadAsync(connection, "SELECT count(*) FROM record"),
            CultureInfo.InvariantCulture
        );
        if (records == 0)
        {
            throw new InvalidOperationException("No audit record names the lease that the history is copied from.");
        }

        for (var made = records; made < recordsEach; made *= 2)
        {
            await ExecuteAsync(connection, $"INSERT INTO record SELECT k + {made}, bytes, 1 = 0 FROM record");
        }

        await ExecuteAsync(connection, $"DELETE FROM record WHERE k > {recordsEach}");
        var columns = ((string)(await ReadAsync(connection, Columns))!).Split(',');
        var own = new Dictionary<string, string>(Own) { ["told_sequence"] = $"(p.n - 1) * {recordsEach} + r.k" };
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        for (var first = 1L; first <= leases; first += AtOnce)
        {
            await ExecuteAsync(
                connection,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"""
                    BEGIN;
                    DROP TABLE IF EXISTS past;
                    CREATE TEMP TABLE past AS
                      SELECT n, at, hash, {TimeOfId} || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15) AS id FROM (
                        SELECT n, {HashOf("'' || n")} AS hash, {now - Day} - ({leases} - n) * CAST({Year
                        / leases} AS bigint) AS at
                        FROM {Numbers(first, Math.Min(first + AtOnce - 1, leases))}) AS numbers;
                    INSERT INTO task (process, id, issuer, workload, opened_at)
                      SELECT t.process, {Task}, t.issuer, t.workload, min(p.at) FROM past p, template t
                      GROUP BY p.n / 10, t.process, t.issuer, t.workload ON CONFLICT DO NOTHING;
                    INSERT INTO lease ({string.Join(", ", columns)})
                      SELECT {string.Join(", ", columns.Select(column => own.GetValueOrDefault(column, $"t.{column}")))}
                      FROM past p, template t, record r WHERE r.tells ORDER BY p.n;
                    INSERT INTO audit_record (stream, sequence, bytes)
                      SELECT 0, (p.n - 1) * {recordsEach} + r.k, CASE WHEN r.tells THEN {Renamed} ELSE r.bytes END
                      FROM past p, template t, record r ORDER BY p.n, r.k;
                    INSERT INTO audit_batch (stream, time, sequence)
                      SELECT 0, p.at, (p.n - 1) * {recordsEach} + 1 FROM past p WHERE p.n % 2 = 1 ORDER BY p.n;
                    COMMIT;
                    """
                )
            );
        }

        await ExecuteAsync(connection, Settle);
    }

    /// <summary>The same of a record's text.</summary>
    protected static string RenamedIn(string text) =>
        $"""replace(replace({text}, t.id, p.id), '"' || t.task || '"', '"' || {Task} || '"')""";

    private static string Shifted(string column) => $"t.{column} - t.opened_at + p.at";

    private static async Task ExecuteAsync(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        (command.CommandText, command.CommandTimeout) = (sql, 0);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ReadAsync(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }
}
