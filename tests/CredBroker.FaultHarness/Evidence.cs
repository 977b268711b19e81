using CredBroker.FaultHarness.Servers;

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

        await arena.Store.KeepAsync(folder);

        void Copy(string from, string name)
        {
            if (File.Exists(from))
            {
                File.Copy(from, Path.Combine(folder, name), overwrite: true);
            }
        }
    }
}
