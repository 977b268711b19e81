using System.Runtime.InteropServices;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// Which file a path leads to: device and inode. A path that leads to another one than before was deleted or replaced,
/// and two paths that lead to the same one are one file. Known on Linux; elsewhere nothing is compared.
/// </summary>
internal readonly partial record struct FileIdentity(ulong Device, ulong Inode)
{
    private const int CurrentDirectory = -100;
    private const uint WantsInode = 0x100;

    // struct statx is laid out alike on every architecture, which struct stat is not.
    private const int Size = 256;
    private const int InodeAt = 32;
    private const int DeviceAt = 136;

    /// <summary>Whether this system can say it.</summary>
    public static bool IsKnown { get; } = OperatingSystem.IsLinux() && Look("/") is not null;

    /// <summary>The file's identity; null where there is none, or none that this process may look at.</summary>
    public static FileIdentity? Of(string path) => IsKnown ? Look(path) : null;

    private static FileIdentity? Look(string path)
    {
        Span<byte> facts = stackalloc byte[Size];
        try
        {
            return StatX(CurrentDirectory, path, 0, WantsInode, facts) == 0
                ? new(BitConverter.ToUInt64(facts[DeviceAt..]), BitConverter.ToUInt64(facts[InodeAt..]))
                : null;
        }
        catch (EntryPointNotFoundException)
        {
            // A C library from before statx.
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, Span<byte> facts);
}
