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
    private const long Place = long.MaxValue - 1;

    /// <summary>Whether nobody else has it; true where this system has no such lock.</summary>
    public static bool TryTake(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
        {
            return true;
        }

        var wanted = new Range
        {
            Type = ForWriting,
            Start = Place,
            Length = 1,
        };
        return Control(file, SetOfHandle, ref wanted) == 0
            || Marshal.GetLastPInvokeError() is not (LockedByAnother or LockedByAnotherToo);
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
