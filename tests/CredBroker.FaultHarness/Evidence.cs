using CredBroker.FaultHarness.Servers;
using Microsoft.Data.Sqlite;

namespace CredBroker.FaultHarness;

/// <summary>What is needed to find out why, copied before the servers are gone.</summary>
internal static class Evidence
{
    public static async Task KeepAsync(Arena arena, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (
            var file in Directory
                .EnumerateFiles(arena.Folder, "*.log")
                .Append(Path.Combine(arena.Folder, "audit.jsonl"))
        )
        {
            Copy(file, Path.GetFileName(file));
        }

        Copy(arena.Vault.AuditLogPath, "openbao-audit.log");
        Copy(arena.Postgres.LogPath, "postgresql.log");
        await File.WriteAllTextAsync(Path.Combine(folder, "openbao.log"), arena.Vault.Output);

        // By SQLite itself: a copied file would lack what is still in the write-ahead log.
        await using var store = new SqliteConnection($"Data Source={arena.StoreFile};Mode=ReadOnly;Pooling=false");
        await store.OpenAsync();
        await using var copy = store.CreateCommand();
        copy.CommandText = "VACUUM INTO $file";
        copy.Parameters.AddWithValue("$file", Path.Combine(folder, "broker.db"));
        await copy.ExecuteNonQueryAsync();

        void Copy(string from, string name)
        {
            if (File.Exists(from))
            {
                File.Copy(from, Path.Combine(folder, name), overwrite: true);
            }
        }
    }
}
