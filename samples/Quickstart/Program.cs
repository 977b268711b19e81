using System.Runtime.InteropServices;
using System.Text;
using CredBroker.Samples.Quickstart;

const string Usage = """
    Starts the real broker in dev mode on this machine and plays its whole story.

      dotnet run --project samples/Quickstart             play the story and stop
      dotnet run --project samples/Quickstart -- --keep   leave the broker running,
                                                          with lines to go on with

    Exit code 0 only if every step happened as it should.
    """;

if (args is not ([] or ["--keep"]))
{
    Console.WriteLine(Usage);
    return args is ["--help"] or ["-h"] ? 0 : 2;
}

Console.OutputEncoding = Encoding.UTF8;
using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var narrator = new Narrator(
    Console.Out,
    colours: !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "",
    width: Console.IsOutputRedirected ? null : Console.WindowWidth,
    TimeProvider.System
);
try
{
    await Story.PlayAsync(narrator, keep: args.Length > 0, stop.Token);
    return 0;
}
catch (StoryFailedException fault)
{
    narrator.Failed(fault.Message);
    return 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}

// Stops in good order: the broker's data directory is deleted.
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
