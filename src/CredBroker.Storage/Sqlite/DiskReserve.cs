namespace CredBroker.Storage.Sqlite;

/// <summary>
/// Disk that is kept for revocations: a file of zeros beside the store. When the disk is full it is given up, so that
/// what ends secrets can still be put on record; while it is not whole nothing is issued, so that nothing else uses up
/// what it gave. A limit on free space alone would not do: another program can take the last block as well.
/// </summary>
internal sealed class DiskReserve(string path, long size)
{
    private readonly Lock _gate = new();
    private volatile bool _isWhole;

    /// <summary>Whether it is there for the next full disk.</summary>
    public bool IsWhole => _isWhole || size == 0;

    /// <summary>Makes it where that leaves as much again free. Costs nothing while it is whole.</summary>
    public void Restore()
    {
        lock (_gate)
        {
            if (IsWhole)
            {
                return;
            }

            try
            {
                if (new FileInfo(path) is { Exists: true } left && left.Length == size)
                {
                    _isWhole = true;
                    return;
                }

                if (Free() < 2 * size)
                {
                    return;
                }

                // Allocated, not only as long: a hole would give nothing back.
                using var file = SqliteFile.OpenPrivate(path, FileShare.ReadWrite, FileMode.Create, size);
                file.SetLength(size);
                file.Flush(flushToDisk: true);
                _isWhole = true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not whole, and so nothing is issued; it is tried again.
            }
        }
    }

    /// <summary>Gives it up if the disk is full. Whether there is room again.</summary>
    public bool Release()
    {
        lock (_gate)
        {
            if (size == 0 || !_isWhole || Free() >= size)
            {
                return false;
            }

            _isWhole = false;
            try
            {
                File.Delete(path);
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    private long Free() => new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace;
}
