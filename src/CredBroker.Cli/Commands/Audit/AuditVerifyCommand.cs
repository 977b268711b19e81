using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Core.Audit;

namespace CredBroker.Cli.Commands.Audit;

/// <summary>
/// <c>credbroker audit verify</c>: whether an export is whole and unaltered. Offline; names the first broken event, and
/// says what a file alone cannot prove.
/// </summary>
internal sealed class AuditVerifyCommand : Command
{
    private readonly Terminal _terminal;
    private readonly Argument<string> _file = new("FILE")
    {
        Description = "The export, or several one after the other; - for standard input",
    };
    private readonly Option<DateTimeOffset?> _from;
    private readonly Option<DateTimeOffset?> _to;
    private readonly Option<AuditPosition[]> _expect = new("--expect")
    {
        HelpName = "HEAD",
        Description = "A head (stream:sequence:hash) kept elsewhere, which must be in the file; repeat for more",
        CustomParser = ParsePositions,
    };

    public AuditVerifyCommand(Terminal terminal)
        : base(
            "verify",
            "Verify an export offline: nothing altered, removed, inserted, doubled or reordered. "
                + "Exit code 5 and the first broken event if not."
        )
    {
        _terminal = terminal;
        _from = TimeOption.Create("--from", "The file must hold everything from this time on", terminal.Time);
        _to = TimeOption.Create(
            "--to",
            "The file must hold everything from there, or from where it begins, to this time",
            terminal.Time
        );
        Add(_file);
        Add(_expect);
        Add(_from);
        Add(_to);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var path = parsed.GetRequiredValue(_file);
        await using var stream =
            path == "-"
                ? _terminal.In
                : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        var verification = await AuditVerifier.VerifyAsync(
            stream,
            parsed.GetValue(_expect) ?? [],
            cancellationToken,
            parsed.GetValue(_from),
            parsed.GetValue(_to)
        );
        if (OutputOption.Of(parsed, _terminal) is var format && format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(
                JsonSerializer.Serialize(VerificationOutput.Of(verification), CliJson.Default.VerificationOutput)
            );
        }
        else
        {
            Write(path, verification, format);
        }

        return verification.Holds ? ExitCodes.Done : ExitCodes.FaultsFound;
    }

    private void Write(string path, AuditVerification verification, OutputFormat format)
    {
        if (verification.Fault is { } fault)
        {
            var place = fault.Sequence is { } sequence
                ? $" at event {sequence} of stream {Printable.Text(fault.Stream ?? "?")}"
                : "";
            _terminal.Out.WriteLine($"{path}:{fault.Line}: BROKEN{place}: {Printable.Text(fault.What)}");
            _terminal.Error.WriteLine(
                $"{Number(verification.Records)} records before it are in order. What comes after it was not looked at."
            );
            return;
        }

        // First, because it is what is read: whether it holds, and for how much of the log that is said.
        _terminal.Out.WriteLine(
            $"OK: {Number(verification.Records)} records{Period(verification)}, unaltered and without a gap. "
                + Printable.Text(verification.Range)
        );
        Grid.Write(
            _terminal,
            format,
            ["Stream", "Events", "Ended in good order"],
            [
                .. verification.Streams.Select(stream =>
                    new[]
                    {
                        stream.Head.Stream,
                        $"{stream.Anchor.Sequence + 1} to {stream.Head.Sequence}",
                        stream.IsClosed ? "yes" : "no",
                    }
                ),
            ]
        );
        foreach (var stream in verification.Streams)
        {
            // One line each, never cut or wrapped: it is copied, kept elsewhere, and given back to --expect.
            _terminal.Out.WriteLine($"Head: {stream.Head}");
        }

        foreach (var open in verification.NotProven)
        {
            _terminal.Error.WriteLine($"This file alone does not prove: {Printable.Text(open)}");
        }
    }

    private static string Period(AuditVerification verification) =>
        verification is { Earliest: { } earliest, Latest: { } latest }
            ? $" from {TimeText.Rfc3339(earliest)} to {TimeText.Rfc3339(latest)}"
            : "";

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static AuditPosition[] ParsePositions(ArgumentResult result)
    {
        var positions = new List<AuditPosition>();
        foreach (var token in result.Tokens)
        {
            if (AuditPosition.TryParse(token.Value, out var position))
            {
                positions.Add(position!);
            }
            else
            {
                result.AddError(
                    $"\"{token.Value}\" is no head: write stream:sequence:hash, as audit verify prints it."
                );
            }
        }

        return [.. positions];
    }
}

/// <summary>The JSON of <c>audit verify</c>. Positions are <c>stream:sequence:hash</c>.</summary>
internal sealed record VerificationOutput(
    bool Holds,
    VerificationFault? Fault,
    string Range,
    bool Whole,
    long Records,
    DateTimeOffset? Earliest,
    DateTimeOffset? Latest,
    IReadOnlyList<VerificationStream> Streams,
    IReadOnlyList<string> NotProven
)
{
    public static VerificationOutput Of(AuditVerification verification) =>
        new(
            verification.Holds,
            verification.Fault is { } fault ? new(fault.Line, fault.Stream, fault.Sequence, fault.What) : null,
            verification.Range,
            verification.IsWhole,
            verification.Records,
            verification.Earliest,
            verification.Latest,
            [
                .. verification.Streams.Select(stream => new VerificationStream(
                    stream.Anchor.ToString(),
                    stream.Head.ToString(),
                    stream.IsClosed
                )),
            ],
            verification.NotProven
        );
}

/// <summary>The first thing that is wrong.</summary>
internal sealed record VerificationFault(long Line, string? Stream, long? Sequence, string What);

/// <summary>A run of a stream's records.</summary>
internal sealed record VerificationStream(string Anchor, string Head, bool Closed);
