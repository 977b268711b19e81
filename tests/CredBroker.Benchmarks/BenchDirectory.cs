namespace CredBroker.Benchmarks;

/// <summary>Where one suite keeps its stores and settings; gone when the suite is over.</summary>
internal sealed class BenchDirectory : IDisposable
{
    private readonly Func<Task> _remove;

    public BenchDirectory(BenchOptions options)
    {
        Info = Directory.CreateDirectory(Path.Combine(options.Directory, $"credbroker-bench-{Guid.NewGuid():N}"));
        _remove = () =>
        {
            Info.Delete(recursive: true);
            return Task.CompletedTask;
        };
        Leftovers.Keep(_remove);
    }

    public DirectoryInfo Info { get; }

    public void Dispose()
    {
        Leftovers.Release(_remove);
        Info.Delete(recursive: true);
    }
}
