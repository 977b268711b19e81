using CredBroker.Testing.Processes;

namespace CredBroker.Testing.Servers;

/// <summary>A small file system of its own, in memory, so that it can be filled to the last byte.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _folder;

    private SmallDisk(string folder) => _folder = folder;

    /// <summary>Whether nothing can be written to it now.</summary>
    public bool IsFull { get; private set; }

    private string Filler => Path.Combine(_folder, "filler");

    /// <summary>Mounts it on the folder; null where that is not allowed, which takes root on Linux.</summary>
    public static async Task<SmallDisk?> MountAsync(string folder, int megabytes)
    {
        try
        {
            await ChildProcess.RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "credbroker-test", folder);
            return new(folder);
        }
        catch (Exception refused) when (refused is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Leaves no room. What the broker gives up of its own is not taken.</summary>
    public async Task FillAsync()
    {
        IsFull = true;
        var block = new byte[1 << 20];
        await using var filler = new FileStream(
            Filler,
            FileMode.Create,
            FileAccess.Write,
            FileShare.Read,
            bufferSize: 0
        );
        for (var size = block.Length; size > 0; size /= 16)
        {
            try
            {
                while (true)
                {
                    await filler.WriteAsync(block.AsMemory(0, size));
                }
            }
            catch (IOException)
            {
                // This many bytes no longer fit; fewer may.
            }
        }
    }

    /// <summary>Mounts it anew, <c>ro</c> or <c>rw</c>.</summary>
    public Task RemountAsync(string mode) => ChildProcess.RunAsync("mount", "-o", $"remount,{mode}", _folder);

    /// <summary>Frees what <see cref="FillAsync"/> took.</summary>
    public void Free()
    {
        File.Delete(Filler);
        IsFull = false;
    }

    public async ValueTask DisposeAsync() => await ChildProcess.RunAsync("umount", "--lazy", _folder);
}
