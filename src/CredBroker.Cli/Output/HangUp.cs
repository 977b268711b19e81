using System.Runtime.InteropServices;

namespace CredBroker.Cli.Output;

/// <summary>
/// Whether the reader of a pipe is gone. .NET's console drops what is written to such a pipe and says nothing, so a
/// command that writes for ever asks here, as others are ended by SIGPIPE.
/// </summary>
internal static partial class HangUp
{
    private const int StandardOutput = 1;

    // poll(2): the same on Linux, macOS and the BSDs. A pipe's writing end has the first on Linux, the second on others.
    private const short Error = 0x8;
    private const short Closed = 0x10;

    /// <summary>Of standard output. On Windows it is not known, and false.</summary>
    public static bool OfOutput()
    {
        if (OperatingSystem.IsWindows())
        {
            return false;
        }

        var output = new Polled { Descriptor = StandardOutput };
        return Poll(ref output, 1, 0) > 0 && (output.Returned & (Error | Closed)) != 0;
    }

    // nfds_t is an unsigned long on Linux and an unsigned int on macOS: in a register, 1 is the same.
    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref Polled polled, nuint count, int milliseconds);

    /// <summary><c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Polled
    {
        public int Descriptor;
        public short Asked;
        public short Returned;
    }
}
