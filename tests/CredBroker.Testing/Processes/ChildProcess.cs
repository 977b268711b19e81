using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace CredBroker.Testing.Processes;

/// <summary>
/// A process that a test started: its output is kept, and it is killed by its own id when the test or the test host
/// ends.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int KeptCharacters = 512 * 1024;
    private readonly StringBuilder _output = new();

    private ChildProcess(Process process) => Process = process;

    public Process Process { get; }

    public bool HasExited => Process.HasExited;

    /// <summary>Standard output and standard error as far as they have come, the newest part of it.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    public static ChildProcess Start(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var child = new ChildProcess(new Process { StartInfo = start });
        child.Process.OutputDataReceived += child.Keep;
        child.Process.ErrorDataReceived += child.Keep;
        child.Process.Start();
        AppDomain.CurrentDomain.ProcessExit += child.KillAtExit;
        child.Process.BeginOutputReadLine();
        child.Process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Runs a program to its end and returns its output; throws with that output when it fails.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        await using var child = Start(program, arguments);
        await child.Process.WaitForExitAsync();
        return child.Process.ExitCode == 0
            ? child.Output
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)} ended with {child.Process.ExitCode}: {child.Output}"
            );
    }

    /// <summary>SIGKILL, as a crash would be.</summary>
    public async Task KillAsync()
    {
        if (!Process.HasExited)
        {
            Process.Kill();
        }

        await Process.WaitForExitAsync();
    }

    /// <summary>Sends it a signal by name, such as <c>STOP</c>.</summary>
    public Task SignalAsync(string signal) =>
        RunAsync("kill", $"-{signal}", Process.Id.ToString(CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= KillAtExit;
        await KillAsync();
        Process.Dispose();
    }

    private void KillAtExit(object? sender, EventArgs e)
    {
        if (!Process.HasExited)
        {
            Process.Kill();
        }
    }

    private void Keep(object sender, DataReceivedEventArgs e)
    {
        lock (_output)
        {
            _output.AppendLine(e.Data);
            if (_output.Length > KeptCharacters)
            {
                _output.Remove(0, _output.Length - KeptCharacters);
            }
        }
    }
}
