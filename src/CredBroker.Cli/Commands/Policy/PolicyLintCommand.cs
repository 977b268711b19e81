using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Policy.Linting;

namespace CredBroker.Cli.Commands.Policy;

/// <summary>
/// <c>credbroker policy lint</c>: every fault that would keep a document from being applied, and what its author can
/// hardly mean.
/// </summary>
internal sealed class PolicyLintCommand : Command
{
    private readonly Terminal _terminal;
    private readonly Argument<string> _file = new("FILE")
    {
        Description = "The policy document; the schemas that it names are read beside it",
    };
    private readonly Option<bool> _strict = new("--strict") { Description = "Take warnings as faults" };

    public PolicyLintCommand(Terminal terminal)
        : base(
            "lint",
            "Check a policy document offline: all faults at once, "
                + "with line and column, and warnings. Exit code 5 if there are faults."
        )
    {
        _terminal = terminal;
        Add(_file);
        Add(_strict);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var path = parsed.GetRequiredValue(_file);
        var document = await PolicyText.ReadAsync(path, cancellationToken);
        var compilation = PolicyCompiler.Compile(document);
        List<LintOutput> findings =
        [
            .. compilation.Faults.Select(fault => new LintOutput("error", fault.Line, fault.Column, fault.Message)),
            .. PolicyLint
                .Check(document)
                .Select(warning => new LintOutput("warning", warning.Line, warning.Column, warning.Message)),
        ];
        if (OutputOption.Of(parsed, _terminal) == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize([.. findings], CliJson.Default.LintOutputArray));
        }
        else
        {
            Write(path, document.Text, findings, compilation.Set);
        }

        return compilation.Set is null || (parsed.GetValue(_strict) && findings.Count > 0)
            ? ExitCodes.FaultsFound
            : ExitCodes.Done;
    }

    /// <summary>As compilers write it, so that editors jump to the place; and the place itself below.</summary>
    private void Write(string path, string text, List<LintOutput> findings, PolicySet? policy)
    {
        var lines = text.Split('\n');
        foreach (var finding in findings)
        {
            _terminal.Out.WriteLine(
                $"{path}:{(finding.Line == 0 ? "" : $"{finding.Line}:{finding.Column}:")} {finding.Severity}: "
                    + $"{Printable.Text(finding.Message)}"
            );
            if (finding.Line > 0 && finding.Line <= lines.Length)
            {
                _terminal.Out.WriteLine(CodeFrame.Of(lines[finding.Line - 1], finding.Line, finding.Column));
            }
        }

        _terminal.Error.WriteLine(
            policy is null
                ? $"Faults: {findings.Count}. A broker would keep the last good version."
                : $"No faults; warnings: {findings.Count}, processes: {policy.Processes.Count}, "
                    + $"credentials: {policy.Credentials.Count}, hash: {policy.Hash}"
        );
    }
}

/// <summary>A line of <c>policy lint</c>.</summary>
internal sealed record LintOutput(string Severity, int Line, int Column, string Message);
