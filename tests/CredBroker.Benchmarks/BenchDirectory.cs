namespace CredBroker.Benchmarks;

/// <summary>Where one suite keeps its stores and settings; gone when the suite is over.</summary>
internal sealed class BenchDirectory : IDisposable
{
    public BenchDirectory(BenchOptions options) =>
        Info = Directory.CreateDirectory(Path.Combine(options.Directory, $"credbroker-bench-{Guid.NewGuid():N}"));

    public DirectoryInfo Info { get; }

    public void Dispose() => Info.Delete(recursive: true);
}
