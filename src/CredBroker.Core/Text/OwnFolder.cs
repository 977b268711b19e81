using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CredBroker.Core.Text;

/// <summary>
/// A directory that nobody but the program's user, and root, may write to: whoever else can would put a file of theirs in
/// the place of one that is relied on.
/// </summary>
public static partial class OwnFolder
{
    private const int CurrentDirectory = -100;
    private const uint WantsOwner = 0x8;

    // struct statx is laid out alike on every architecture.
    private const int Size = 256;
    private const int OwnerAt = 20;

    /// <summary>What is wrong with the directory, as the end of a sentence that names it; null where nothing is.</summary>
    public static string? FaultOf(string path) =>
        path switch
        {
            _ when !Directory.Exists(path) =>
                "which is no directory; make it, the broker's user's own, with mode 0700.",
            _ when !OperatingSystem.IsWindows()
                    && (ModeOf(path) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0 =>
                "which others may write to; take that from them (chmod go-w).",
            _ when OwnerOf(path) is { } owner && owner != 0 && owner != EffectiveUser() =>
                $"which belongs to another user (id {owner}), who may write to it; give it to the broker's user (chown).",
            _ => null,
        };

    /// <summary>
    /// Has the directory's entries on disk: without it a file that was made or renamed may be gone after a power cut,
    /// however well its contents are there.
    /// </summary>
    /// <exception cref="IOException">They are not.</exception>
    public static void Flush(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var folder = new SafeFileHandle(Open(path, flags: 0), ownsHandle: true);
        if (folder.IsInvalid)
        {
            throw new IOException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        RandomAccess.FlushToDisk(folder);
    }

    private static UnixFileMode ModeOf(string path) =>
        new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true) is { } target
            ? target.UnixFileMode
            : new DirectoryInfo(path).UnixFileMode;

    // The directory's behind a link. Known on Linux; elsewhere nobody is refused for it.
    private static uint? OwnerOf(string path)
    {
        Span<byte> facts = stackalloc byte[Size];
        try
        {
            return OperatingSystem.IsLinux() && StatX(CurrentDirectory, path, 0, WantsOwner, facts) == 0
                ? BitConverter.ToUInt32(facts[OwnerAt..])
                : null;
        }
        catch (EntryPointNotFoundException)
        {
            // A C library from before statx.
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, Span<byte> facts);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
