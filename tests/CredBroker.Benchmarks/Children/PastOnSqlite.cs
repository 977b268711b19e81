using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;

namespace CredBroker.Benchmarks.Children;

/// <summary>A history in an SQLite file that no broker has open.</summary>
internal sealed class PastOnSqlite(string file) : PastLeases
{
    protected override string Columns =>
        "SELECT group_concat(name, ',') FROM pragma_table_xinfo('lease') WHERE hidden = 0";

    protected override string IsOfLease => "instr(r.bytes, CAST(t.id AS BLOB)) > 0";

    protected override string Renamed => $"CAST({RenamedIn("CAST(r.bytes AS TEXT)")} AS BLOB)";

    protected override string TimeOfId => "printf('%012x', at)";

    protected override string Settle => "PRAGMA wal_checkpoint(TRUNCATE)";

    protected override string HashOf(string text) => $"hash({text})";

    protected override string Numbers(long first, long last) =>
        $"(WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last}) SELECT n FROM s)";

    protected override async Task<DbConnection> ConnectAsync()
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString()
        );
        await connection.OpenAsync();
        connection.CreateFunction(
            "hash",
            static (string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32],
            isDeterministic: true
        );
        await using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA synchronous=OFF; PRAGMA cache_size=-200000";
        await command.ExecuteNonQueryAsync();
        return connection;
    }
}
