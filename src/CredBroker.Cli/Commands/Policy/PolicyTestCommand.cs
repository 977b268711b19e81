using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Output;

namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy test</c>: does a policy document decide as its author says that it does?</summary>
internal sealed class PolicyTestCommand : Command
{
    private const string Example = """
        apiVersion: credbroker/v1
        identities:
          triage: { spiffeId: "spiffe://acme.example/agents/triage/pod-7", workload: triage, instance: pod-7 }
        tests:
          - name: An invoice is read without asking anybody
            given:
              identity: triage
              task: { process: invoice-triage }
              request: { credential: billing-readonly, actions: [read] }
            expect: { effect: allow, rule: triage-reads-invoices, ttl: 15m }
        """;

    private readonly Terminal _terminal;
    private readonly Argument<string[]> _files = new("FILE")
    {
        Description = "Files of tests, or folders of *.test.yaml; the folder that you are in if left out",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private readonly Option<string?> _junit = new("--junit")
    {
        HelpName = "FILE",
        Description = "Write the results there too, as the XML that CI servers read; a file that exists is replaced",
    };

    private readonly Option<bool> _example = new("--example") { Description = "Print a file of tests to start from" };

    public PolicyTestCommand(Terminal terminal)
        : base(
            "test",
            "Run the tests of a policy document, offline: billing.test.yaml says what billing.yaml decides. "
                + "Exit code 5 if a test fails or a file has faults."
        )
    {
        _terminal = terminal;
        Add(_files);
        Add(_junit);
        Add(_example);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(_example))
        {
            _terminal.Out.WriteLine(Example);
            return ExitCodes.Done;
        }

        var files = new List<PolicyTestFileOutput>();
        foreach (var path in Paths(parsed.GetValue(_files) ?? []))
        {
            files.Add(await PolicyTestRun.RunAsync(path, cancellationToken));
        }

        var report = new PolicyTestReport(files);
        var format = OutputOption.Of(parsed, _terminal);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.PolicyTestReport));
        }
        else
        {
            Write(report, format);
        }

        if (parsed.GetValue(_junit) is { } junit)
        {
            await using var stream = File.Create(junit);
            PolicyTestJUnit.Write(stream, report);
        }

        return report.IsGood ? ExitCodes.Done : ExitCodes.FaultsFound;
    }

    /// <summary>At least one: where nothing was tested, nothing is well.</summary>
    private static List<string> Paths(string[] named)
    {
        var paths = (named.Length == 0 ? ["."] : named)
            .SelectMany(path => Directory.Exists(path) ? PolicyTestRun.FilesIn(path) : [path])
            .DistinctBy(Path.GetFullPath)
            .ToList();
        return paths.Count > 0
            ? paths
            : throw CliException.Usage(
                "There is no *.test.yaml here.",
                "Name a file of tests, or a folder; --example prints one to start from."
            );
    }

    private void Write(PolicyTestReport report, OutputFormat format)
    {
        foreach (var file in report.Files)
        {
            _terminal.Out.WriteLine(Printable.Text(file.File));
            if (file.Tests.Count > 0)
            {
                Grid.Write(
                    _terminal,
                    format,
                    ["Result", "Effect", new("Rule", FromWidth: 110), "Test"],
                    [
                        .. file.Tests.Select(test =>
                            new[]
                            {
                                test.Passed ? "ok" : "failed",
                                test.Effect,
                                test.Rule ?? test.Code ?? "",
                                test.Name,
                            }
                        ),
                    ]
                );
            }

            // As compilers write it, so that editors jump to the place.
            foreach (var fault in file.Faults)
            {
                WriteLine((fault with { Message = $"error: {fault.Message}" }).ToString());
            }

            foreach (var test in file.Tests.Where(test => !test.Passed))
            {
                var why = test.Explanation is { } explanation ? $" ({explanation})" : "";
                WriteLine(
                    $"{file.File}:{test.Line}:{test.Column}: failed: {test.Name}: "
                        + $"{string.Join("; ", test.Differences)}{why}"
                );
            }

            _terminal.Out.WriteLine();
        }

        _terminal.Error.WriteLine(
            $"Passed: {report.Passed}, failed: {report.Failed}, files with faults: {report.Faulty}."
        );
    }

    private void WriteLine(string text) => _terminal.Out.WriteLine(Printable.Text(text));
}
