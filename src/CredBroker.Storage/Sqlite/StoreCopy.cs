using CredBroker.Core.State;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// A copy of the store's file, taken where there is room for it, in a directory that nobody but the broker's user can
/// read. It is the broker's to read and to migrate, and gone with it.
/// </summary>
internal sealed class StoreCopy : IDisposable
{
    private const long Spare = 32 << 20;

    private readonly string _directory;

    private StoreCopy(string directory, SqliteFile file) => (_directory, File) = (directory, file);

    /// <summary>The copy.</summary>
    public SqliteFile File { get; }

    /// <summary>Copies it.</summary>
    /// <exception cref="StoreUnavailableException">There is no room, or the file is no store.</exception>
    public static StoreCopy Take(string path)
    {
        var files = new[] { path, path + "-wal" }
            .Select(name => new FileInfo(name))
            .Where(file => file.Exists)
            .ToList();
        var size = files.Sum(file => file.Length);
        foreach (var root in new[] { Path.GetTempPath(), "/dev/shm" }.Where(Directory.Exists))
        {
            if (new DriveInfo(root).AvailableFreeSpace < 2 * size + Spare)
            {
                continue;
            }

            var directory = Path.Combine(root, $"credbroker-copy-{Environment.ProcessId}-{Guid.NewGuid():N}");
            try
            {
                SqliteFile.MakePrivateDirectory(directory);
                var copy = Path.Combine(directory, "store.db");
                foreach (var file in files)
                {
                    file.CopyTo(copy + file.Name[Path.GetFileName(path).Length..]);
                }

                return new(directory, SqliteFile.Open(copy));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Remove(directory);
            }
            catch
            {
                Remove(directory);
                throw;
            }
        }

        throw new StoreUnavailableException(
            "There is no room for a copy of it either, in the directory of temporary files."
        );
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        File.Dispose();
        Remove(_directory);
    }

    private static void Remove(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody else can read what is left, and nothing in it is a secret.
        }
    }
}
