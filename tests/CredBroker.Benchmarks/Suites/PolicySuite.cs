using System.Diagnostics;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Requests;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// Target 3: what a decision over a hundred rules costs. On one thread, as CPU time, which other programs on the
/// machine do not lengthen.
/// </summary>
internal static class PolicySuite
{
    private const int Batch = 10_000;

    public static void Run(BenchOptions options)
    {
        Report.PrintTitle($"policy: {BenchPolicy.Rules} rules, no search ended by a match");
        var compilation = PolicyCompiler.Compile(BenchPolicy.Document);
        var set = compilation.Set ?? throw new InvalidOperationException(string.Join('\n', compilation.Faults));
        var now = TimeProvider.System.GetUtcNow();
        var identity = new WorkloadIdentity
        {
            Proof = ProofMethod.Oidc,
            Issuer = Agents.Issuer,
            Subject = "worker",
            Workload = "worker",
            Instance = "worker-1",
            ProofExpiresAt = now.AddHours(1),
            ProofHash = "hash",
        };
        var task = new AgentTask("task-1", "monthly-reports", "Write the report of the month");
        var table = new Table("decision", "CPU µs each", "bytes allocated each");
        Measure("allow", "reports", PolicyEffect.Allow);
        Measure("deny", "other-4", PolicyEffect.Deny);
        table.Print();

        void Measure(string name, string credential, PolicyEffect expected)
        {
            var request = new CredentialRequest { Credential = credential, Actions = ["read"] };
            if (set.Evaluate(identity, task, request) is var first && first.Effect != expected)
            {
                throw new InvalidOperationException($"The decision is {first.Effect}: {first.Explanation}");
            }

            Decide(TimeSpan.FromSeconds(options.Warmup / 4.0));
            var (cpu, allocated) = (CpuTime(), GC.GetAllocatedBytesForCurrentThread());
            var decided = Decide(TimeSpan.FromSeconds(options.Seconds / 4.0));
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            table.Add(name, $"{(CpuTime() - cpu).TotalMicroseconds / decided:N2}", $"{allocated / decided:N0}");

            long Decide(TimeSpan duration)
            {
                var (start, count) = (Stopwatch.GetTimestamp(), 0L);
                do
                {
                    for (var i = 0; i < Batch; i++)
                    {
                        set.Evaluate(identity, task, request);
                    }

                    count += Batch;
                } while (Stopwatch.GetElapsedTime(start) < duration);

                return count;
            }
        }
    }

    private static TimeSpan CpuTime()
    {
        using var self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }
}
