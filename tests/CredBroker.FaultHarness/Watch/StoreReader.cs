using Microsoft.Data.Sqlite;

namespace CredBroker.FaultHarness.Watch;

/// <summary>
/// Reads the broker's store beside it, and while it is dead: what it holds to be true, not what it answers.
/// </summary>
internal sealed class StoreReader(string file)
{
    public async Task<IReadOnlyList<StoredLease>> ReadAsync()
    {
        var settings = new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
        };
        await using var connection = new SqliteConnection(settings.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT id, state, credential, accessor, credential_accessor, vault_lease_id, opened_at, confirmed_at, last_error
            FROM lease
            """;
        await using var row = await command.ExecuteReaderAsync();
        var leases = new List<StoredLease>();
        while (await row.ReadAsync())
        {
            leases.Add(
                new()
                {
                    Id = row.GetString(0),
                    State = row.GetString(1),
                    Credential = row.GetString(2),
                    Accessor = row.IsDBNull(3) ? null : row.GetString(3),
                    CredentialAccessor = row.IsDBNull(4) ? null : row.GetString(4),
                    VaultLeaseId = row.IsDBNull(5) ? null : row.GetString(5),
                    OpenedAt = row.GetInt64(6),
                    ConfirmedAt = row.IsDBNull(7) ? null : row.GetInt64(7),
                    LastError = row.GetString(8),
                }
            );
        }

        return leases;
    }
}
