using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// A process that the bench started: the newest part of its output is kept, and it is killed by its own id when the
/// bench is done with it.
/// </summary>
internal sealed class Child : IAsyncDisposable
{
    private const int KeptCharacters = 16 * 1024;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private readonly StringBuilder _output = new();

    private Child(string program, IEnumerable<string> arguments, Uri address)
    {
        Address = address;
        Process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        Process.OutputDataReceived += Keep;
        Process.ErrorDataReceived += Keep;
    }

    public Uri Address { get; }

    public Process Process { get; }

    /// <summary>What it has used so far.</summary>
    public TimeSpan CpuTime()
    {
        Process.Refresh();
        return Process.TotalProcessorTime;
    }

    /// <summary>How much of it is in memory, in MiB.</summary>
    public double Memory()
    {
        Process.Refresh();
        return Process.WorkingSet64 / 1024.0 / 1024;
    }

    /// <summary>
    /// How much of that are pages of files, the runtime's and its own, in MiB: shared with whoever else has them open, and
    /// given back when memory is short. Zero where there is no /proc.
    /// </summary>
    public double FileMemory()
    {
        const string Name = "RssFile:";
        var status = $"/proc/{Process.Id}/status";
        var line = File.Exists(status) ? File.ReadLines(status).FirstOrDefault(line => line.StartsWith(Name)) : null;
        return line is null ? 0 : double.Parse(line[Name.Length..^"kB".Length]) / 1024;
    }

    /// <summary>Waits until it has used little CPU time for three seconds.</summary>
    /// <exception cref="InvalidOperationException">It has not come to rest within the limit.</exception>
    public async Task IsAtRestAsync(TimeSpan limit)
    {
        var start = Stopwatch.GetTimestamp();
        for (var (quiet, before) = (0, TimeSpan.Zero); quiet < 3; )
        {
            if (Stopwatch.GetElapsedTime(start) > limit)
            {
                throw new InvalidOperationException(
                    $"{Process.StartInfo.FileName} was not at rest within {limit.TotalSeconds} s:\n{Output()}"
                );
            }

            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            var now = CpuTime();
            (quiet, before) = (now - before < TimeSpan.FromMilliseconds(150) ? quiet + 1 : 0, now);
        }
    }

    /// <summary>Starts a program of the bench itself (see Program.cs) on a free port.</summary>
    public static Task<Child> StartOwnAsync(string role, params string[] arguments) =>
        StartAsync(Environment.ProcessPath!, port => ["child", role, $"{port}", .. arguments], TcpIsOpenAsync);

    /// <summary>Starts a program that listens on the port it is given, and waits until it is ready.</summary>
    public static async Task<Child> StartAsync(
        string program,
        Func<int, IEnumerable<string>> arguments,
        Func<Uri, CancellationToken, Task<bool>> isReady,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        var port = FreePort();
        var child = new Child(program, arguments(port), new Uri($"http://127.0.0.1:{port}"));
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            child.Process.StartInfo.Environment[name] = value;
        }

        try
        {
            child.Process.Start();
            AppDomain.CurrentDomain.ProcessExit += child.KillAtExit;
            Leftovers.Keep(child.KillAsync);
            child.Process.BeginOutputReadLine();
            child.Process.BeginErrorReadLine();
            using var limit = new CancellationTokenSource(StartLimit);
            while (!await isReady(child.Address, limit.Token))
            {
                if (child.Process.HasExited)
                {
                    throw new InvalidOperationException(
                        $"{program} ended with {child.Process.ExitCode}:\n{child.Output()}"
                    );
                }

                await Task.Delay(Look, TimeProvider.System, limit.Token);
            }

            return child;
        }
        catch (OperationCanceledException)
        {
            var said = child.Output();
            await child.DisposeAsync();
            throw new InvalidOperationException($"{program} was not ready within {StartLimit.TotalSeconds} s:\n{said}");
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    public static async Task<bool> TcpIsOpenAsync(Uri address, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, address.Port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public string Output()
    {
        lock (_output)
        {
            return _output.ToString();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Leftovers.Release(KillAsync);
        AppDomain.CurrentDomain.ProcessExit -= KillAtExit;
        await KillAsync();
        Process.Dispose();
    }

    private async Task KillAsync()
    {
        if (!Process.HasExited)
        {
            Process.Kill();
        }

        await Process.WaitForExitAsync();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
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
