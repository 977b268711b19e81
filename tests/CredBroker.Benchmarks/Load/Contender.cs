namespace CredBroker.Benchmarks.Load;

/// <summary>
/// One of those compared: where it listens, which processes its work is charged to, and what one operation is.
/// </summary>
/// <param name="Name">As the table calls it.</param>
/// <param name="Addresses">Where the connections go, in turn.</param>
/// <param name="Charged">What each of those whose CPU time an operation is charged with has used so far.</param>
/// <param name="Operation">
/// One operation on one connection; <c>index</c> rises over all connections and runs. It returns the answer that must
/// be a success.
/// </param>
internal sealed record Contender(
    string Name,
    IReadOnlyList<Uri> Addresses,
    IReadOnlyList<Func<TimeSpan>> Charged,
    Func<HttpConnection, int, ValueTask<HttpAnswer>> Operation
)
{
    private int _issued;

    public int NextIndex() => Interlocked.Increment(ref _issued) - 1;

    /// <summary>The CPU time of each that is charged, so far.</summary>
    public TimeSpan[] CpuTimes() => [.. Charged.Select(cpu => cpu())];
}
