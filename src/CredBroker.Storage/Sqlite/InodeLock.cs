using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// A lock on a file itself, by whatever name it is opened, on one byte far beyond what SQLite locks. It belongs to the
/// open handle and ends with it. On 64-bit Linux; elsewhere nothing is locked.
/// </summary>
internal static partial class InodeLock
{
    private const int SetOfHandle = 37; // F_OFD_SETLK
    private const short ForWriting = 1; // F_WRLCK
    private const short Unlocked = 2; // F_UNLCK
    private const long Place = long.MaxValue - 1;

    /// <summary>Whether nobody else has it; true where this system has no such lock.</summary>
    public static bool TryTake(SafeFileHandle file)
    {
        return Set(file, ForWriting) || Marshal.GetLastPInvokeError() is not (LockedByAnother or LockedByAnotherToo);
    }

    /// <summary>
    /// Gives it up before the handle is closed. A child process that is just being started has a copy of the handle until
    /// its own program runs, and the lock would last as long.
    /// </summary>
    public static void Release(SafeFileHandle file)
    {
        if (!file.IsClosed)
        {
            Set(file, Unlocked);
        }
    }

    private static bool Set(SafeFileHandle file, short type)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
        {
            return true;
        }

        var range = new Range
        {
            Type = type,
            Start = Place,
            Length = 1,
        };
        return Control(file, SetOfHandle, ref range) == 0;
    }

    private const int LockedByAnother = 11; // EAGAIN
    private const int LockedByAnotherToo = 13; // EACCES

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, ref Range range);

    /// <summary>struct flock of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Range
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Process;
    }
}
