using System.Diagnostics;

namespace CredBroker.Benchmarks.Load;

/// <summary>
/// One of those compared: where it listens, which processes its work is charged to, and what one operation is.
/// </summary>
/// <param name="Name">As the table calls it.</param>
/// <param name="Address">Where the connections go.</param>
/// <param name="Charged">The processes whose CPU time an operation is charged with.</param>
/// <param name="Operation">
/// One operation on one connection; <c>index</c> rises over all connections and runs. It returns the answer that must
/// be a success.
/// </param>
internal sealed record Contender(
    string Name,
    Uri Address,
    IReadOnlyList<Process> Charged,
    Func<HttpConnection, int, ValueTask<HttpAnswer>> Operation
)
{
    private int _issued;

    public int NextIndex() => Interlocked.Increment(ref _issued) - 1;

    /// <summary>The CPU time of each charged process so far.</summary>
    public TimeSpan[] CpuTimes() =>
        [
            .. Charged.Select(process =>
            {
                process.Refresh();
                return process.TotalProcessorTime;
            }),
        ];
}
