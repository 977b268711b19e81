using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Health;

/// <summary><c>credbroker doctor</c>: why does it not work? Names the first failing check and its cure.</summary>
internal sealed class DoctorCommand : Command
{
    private static readonly ITokenSource NoToken = TokenSource.From(_ =>
        throw new InvalidOperationException("Only the token checks read a token.")
    );

    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;

    private readonly Watch _watch = new(usualSeconds: 5);

    public DoctorCommand(Terminal terminal)
        : base(
            "doctor",
            "Why does it not work? Looks at the broker, its health and your token, "
                + "and names the first failing check and its cure."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _watch.AddTo(this);
        _broker.AddForAgents(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (format, token) = (OutputOption.Of(parsed, _terminal), Token(parsed));
        using var connection = _broker.Connect(parsed, token ?? NoToken);
        return await _watch.RunAsync(
            parsed,
            _terminal,
            async shown =>
            {
                var report = await new Examination(connection, token, shown).RunAsync(cancellationToken);
                if (format == OutputFormat.Json)
                {
                    shown.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.DoctorReport));
                }
                else
                {
                    Write(report, format, shown);
                }

                return new(
                    report.FirstFault is null ? ExitCodes.Done : ExitCodes.FaultsFound,
                    Lasting: JsonSerializer.Serialize(report.ToLasting(), CliJson.Default.DoctorReport)
                );
            },
            cancellationToken
        );
    }

    private ITokenSource? Token(ParseResult parsed)
    {
        try
        {
            return _broker.EitherToken(parsed);
        }
        catch (CliException) when (_broker.HasServer(parsed))
        {
            return null;
        }
    }

    private static void Write(DoctorReport report, OutputFormat format, Terminal terminal)
    {
        Grid.Write(
            terminal,
            format,
            ["Check", "Result", "Found"],
            [.. report.Checks.Select(check => new[] { check.Name, check.Ok ? "ok" : "failed", check.Found })]
        );
        if (report.Token is { } token)
        {
            terminal.Out.WriteLine();
            terminal.Out.WriteLine(
                $"The token in {Printable.Text(token.Source)} says of itself (decoded here, not verified):"
            );
            Grid.WriteFields(
                terminal,
                format,
                token
                    .Header.Concat(token.Claims)
                    .Select(claim =>
                        (claim.Key, (string?)TokenReading.Show(claim.Key, claim.Value, format, terminal.Time))
                    )
            );
        }
        else if (report.Checks.All(check => check.Name != "token"))
        {
            terminal.Error.WriteLine(
                "No token was looked at: run \"credbroker login\", or name a token's file with --token-file to have it checked."
            );
        }

        terminal.Error.WriteLine(
            report.FirstFault is { } fault
                ? $"First failing check: {fault.Name}: {Printable.Text(fault.Found)}\n"
                    + $"Cure: {Printable.Text(fault.Cure ?? "")}"
                : "All is well."
        );
    }
}
