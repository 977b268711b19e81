using System.Data.Common;
using CredBroker.FaultHarness.Servers;

namespace CredBroker.FaultHarness.Watch;

/// <summary>
/// Reads the brokers' store beside them, and while they are dead: what it holds to be true, not what they answer.
/// </summary>
internal sealed class StoreReader(ArenaStore store)
{
    public async Task<IReadOnlyList<StoredLease>> ReadAsync()
    {
        await using var connection = await store.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT id, state, credential, accessor, credential_accessor, vault_lease_id, opened_at, issuance_deadline,
              activated_at, expires_at, revocation_requested_at, confirmed_at, last_error
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
                    OpenedAt = Time(row, 6)!.Value,
                    IssuanceDeadline = Time(row, 7)!.Value,
                    ActivatedAt = Time(row, 8),
                    ExpiresAt = Time(row, 9),
                    RequestedAt = Time(row, 10),
                    ConfirmedAt = Time(row, 11),
                    LastError = row.GetString(12),
                }
            );
        }

        return leases;
    }

    private static DateTimeOffset? Time(DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));
}
