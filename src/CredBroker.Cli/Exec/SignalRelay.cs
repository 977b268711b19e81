using System.Diagnostics;
using System.Runtime.InteropServices;

namespace CredBroker.Cli.Exec;

/// <summary>
/// Catches the signals that would end us, so that the secret is released in any case, and passes them on to the child.
/// It is there before the secret is, and keeps what comes before the child is.
/// </summary>
internal sealed partial class SignalRelay : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly List<PosixSignalRegistration> _registrations;
    private Process? _child;
    private PosixSignal? _early;

    public SignalRelay() =>
        _registrations = [
            .. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT }.Select(
                signal => PosixSignalRegistration.Create(signal, Receive)
            ),
        ];

    /// <summary>The exit code (128 + n) of a signal that came before there was a child; null if none did.</summary>
    public int? EarlyExitCode
    {
        get
        {
            lock (_gate)
            {
                return _early is { } signal ? 128 + Number(signal) : null;
            }
        }
    }

    /// <summary>Ends with a signal that comes before there is a child.</summary>
    public CancellationToken Early => _ending.Token;

    /// <summary>From now on signals go to this process, and so does one that came while it was being started.</summary>
    public void Attach(Process process)
    {
        lock (_gate)
        {
            _child = process;
            if (_early is { } signal)
            {
                Send(process, signal);
            }
        }
    }

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        lock (_gate)
        {
            _child = null;
        }

        _ending.Dispose();
    }

    private void Receive(PosixSignalContext context)
    {
        context.Cancel = true;
        lock (_gate)
        {
            if (_child is null)
            {
                _early ??= context.Signal;
                _ = _ending.CancelAsync();
            }
            else if (context.Signal is PosixSignal.SIGTERM or PosixSignal.SIGHUP || Console.IsInputRedirected)
            {
                // Ctrl-C and Ctrl-\ at a terminal reach the whole process group: the child has them already, and twice
                // means "at once" to many programs.
                Send(_child, context.Signal);
            }
        }
    }

    /// <summary>Sends a signal to a process, if it still runs.</summary>
    public static void Send(Process process, PosixSignal signal)
    {
        if (process.HasExited)
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            process.Kill(entireProcessTree: true);
        }
        else
        {
            _ = Kill(process.Id, Number(signal));
        }
    }

    private static int Number(PosixSignal signal) =>
        signal switch
        {
            PosixSignal.SIGHUP => 1,
            PosixSignal.SIGINT => 2,
            PosixSignal.SIGQUIT => 3,
            _ => 15,
        };

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
