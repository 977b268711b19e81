using CredBroker.Core.State;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace CredBroker.Storage.Sqlite;

/// <content>How the file is made, kept private and locked, and why it cannot be.</content>
internal sealed partial class SqliteFile
{
    // What opening a file reports that another process has locked: EWOULDBLOCK, ERROR_SHARING_VIOLATION.
    private const int LockedLinux = 11;
    private const int LockedMac = 35;
    private const int LockedWindows = unchecked((int)0x80070020);
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan LooksEvery = TimeSpan.FromMilliseconds(100);

    // A process that is just being started holds what its parent had open until its own program runs: the lock of a store
    // that was closed a moment ago may seem taken.
    private const int LockAttempts = 5;

    // Held as long as the process lives; the kernel lets go of it however the process ends. The lock beside the file says
    // that a broker uses this path, and the one on the file itself that one uses it under another name: a hard link.
    // Opening it also makes it, private, before SQLite sees it, which gives its -wal and -shm files the same mode.
    private static SqliteFile Lock(string path, DiskReserve reserve)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return LockOnce(path, reserve);
            }
            catch (StoreUnavailableException) when (attempt < LockAttempts)
            {
                Thread.Sleep(LooksEvery);
            }
        }
    }

    private static SqliteFile LockOnce(string path, DiskReserve reserve)
    {
        var beside = LockBeside(path);
        FileStream? itself = null;
        try
        {
            itself = OpenPrivate(path, FileShare.ReadWrite);
            return InodeLock.TryTake(itself.SafeFileHandle)
                ? new(path, beside, itself, reserve)
                : throw InUse(path, "it has opened the file under another name", null);
        }
        catch
        {
            itself?.Dispose();
            beside.Dispose();
            throw;
        }
    }

    private static FileStream LockBeside(string path)
    {
        try
        {
            return OpenPrivate(path + ".lock", FileShare.None);
        }
        catch (IOException e) when (e.HResult is LockedLinux or LockedMac or LockedWindows)
        {
            throw InUse(path, $"it holds {path}.lock", e);
        }
    }

    private static StoreUnavailableException InUse(string path, string how, Exception? inner) =>
        new(
            $"Another broker uses {path} ({how}). "
                + "A SQLite store belongs to one broker: stop the other one, or give this one a file of its own.",
            inner
        );

    /// <summary>The file itself, where the path is a link to it.</summary>
    public static string Resolve(string path) =>
        new FileInfo(path).LinkTarget is null
            ? System.IO.Path.GetFullPath(path)
            : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;

    /// <summary>
    /// Whether it could not be opened because nothing can be written there, a full disk or one that can only be read,
    /// while it can be read.
    /// </summary>
    public static bool IsUnwritable(StoreUnavailableException failure, string path)
    {
        for (var cause = failure.InnerException; cause is not null; cause = cause.InnerException)
        {
            if (
                cause
                is SqliteException
                    {
                        SqliteErrorCode: raw.SQLITE_FULL
                            or raw.SQLITE_IOERR
                            or raw.SQLITE_READONLY
                            or raw.SQLITE_CANTOPEN
                    }
                    or UnauthorizedAccessException
                    or IOException { HResult: not (LockedLinux or LockedMac or LockedWindows) }
            )
            {
                return new FileInfo(path) is { Exists: true, Length: > 0 };
            }
        }

        return false;
    }

    /// <summary>Opens a file that nobody but the broker's user can read.</summary>
    internal static FileStream OpenPrivate(
        string path,
        FileShare share,
        FileMode mode = FileMode.OpenOrCreate,
        long allocated = 0
    )
    {
        var options = new FileStreamOptions
        {
            Mode = mode,
            Access = FileAccess.ReadWrite,
            Share = share,
            PreallocationSize = allocated,
        };
        if (OperatingSystem.IsWindows())
        {
            return new(path, options);
        }

        options.UnixCreateMode = OwnerOnly;
        var stream = new FileStream(path, options);
        File.SetUnixFileMode(stream.SafeFileHandle, OwnerOnly);
        return stream;
    }

    /// <summary>Makes a directory that nobody but the broker's user can read, where there is none.</summary>
    internal static void MakePrivateDirectory(string directory)
    {
        if (Directory.Exists(directory))
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        }
    }
}
