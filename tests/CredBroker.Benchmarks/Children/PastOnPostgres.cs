using System.Data.Common;
using Npgsql;

namespace CredBroker.Benchmarks.Children;

/// <summary>A history in a schema of a PostgreSQL.</summary>
internal sealed class PastOnPostgres(BenchPostgres postgres, string schema) : PastLeases
{
    protected override string Columns =>
        $"""
            SELECT string_agg(column_name, ',') FROM information_schema.columns
            WHERE table_schema = '{schema}' AND table_name = 'lease' AND is_generated = 'NEVER'
            """;

    protected override string IsOfLease => "position(convert_to(t.id, 'UTF8') IN r.bytes) > 0";

    protected override string Renamed => $"convert_to({RenamedIn("convert_from(r.bytes, 'UTF8')")}, 'UTF8')";

    protected override string TimeOfId => "lpad(to_hex(at), 12, '0')";

    protected override string Settle => "VACUUM (FREEZE, ANALYZE)";

    protected override string HashOf(string text) => $"md5({text})";

    protected override string Numbers(long first, long last) => $"generate_series({first}, {last}) AS n";

    protected override async Task<DbConnection> ConnectAsync()
    {
        var connection = await postgres.ConnectAsync();
        await using var command = new NpgsqlCommand($"SET search_path = {schema}", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }
}
