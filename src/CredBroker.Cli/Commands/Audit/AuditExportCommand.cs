using System.CommandLine;
using System.Globalization;
using CredBroker.Cli.Connection;
using CredBroker.Client;
using CredBroker.Core.Text;
using Spectre.Console;

namespace CredBroker.Cli.Commands.Audit;

/// <summary><c>credbroker audit export</c>: the log of a period as JSON Lines, byte for byte as it is stored.</summary>
internal sealed class AuditExportCommand : Command
{
    private const int ShowEvery = 1000;

    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Option<DateTimeOffset?> _from;
    private readonly Option<DateTimeOffset?> _to;
    private readonly Option<string?> _file = new("--out")
    {
        HelpName = "FILE",
        Description = "Write here instead of to standard output",
    };
    private readonly Option<string?> _csv = new("--csv")
    {
        HelpName = "FILE",
        Description = "Beside it, the same records as a table for a spreadsheet; only the JSON Lines can be verified",
    };
    private readonly Option<bool> _resume = new("--resume")
    {
        Description = "Go on with FILE after its last whole record: after a break, or to add what came since",
    };

    public AuditExportCommand(Terminal terminal)
        : base("export", "Export the audit log of a period as JSON Lines, to be verified with audit verify.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _from = TimeOption.Create("--from", "The first time wanted", terminal.Time);
        _to = TimeOption.Create("--to", "The first time not wanted; until now, unless given", terminal.Time);
        Add(_from);
        Add(_to);
        Add(_file);
        Add(_csv);
        Add(_resume);
        _broker.AddForPeople(this);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (path, goOn) = (parsed.GetValue(_file), parsed.GetValue(_resume));
        if (goOn && path is null)
        {
            throw CliException.Usage("--resume needs the file that it goes on with.", "Name it with --out.");
        }

        var csvPath = parsed.GetValue(_csv);
        if (goOn && csvPath is not null)
        {
            throw CliException.Usage("--csv is not gone on with.", "Export the whole period again, without --resume.");
        }

        await using var table = csvPath is null ? null : new StreamWriter(Open(csvPath, goOn: false));
        if (table is not null)
        {
            await table.WriteAsync(AuditCsv.Header);
        }

        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var range = new AuditExportRange { From = parsed.GetValue(_from), To = parsed.GetValue(_to) };
        if (path is null)
        {
            await using var output = _terminal.OpenOut();
            await CopyAsync(client, range, output, table, _ => { }, cancellationToken);
            return ExitCodes.Done;
        }

        await using var target = Open(path, goOn);
        range = goOn ? range with { Cursor = await ExportFile.PrepareAsync(target, cancellationToken) } : range;
        var records = await WriteAsync(client, range, target, table, path, cancellationToken);
        _terminal.Error.WriteLine(
            $"{records.ToString("N0", CultureInfo.InvariantCulture)} records "
                + $"{(goOn ? "added to" : "written to")} {path}. Verify them with: credbroker audit verify {path}"
        );
        return ExitCodes.Done;
    }

    private static FileStream Open(string path, bool goOn)
    {
        try
        {
            return goOn ? OwnerOnlyFile.Continue(path) : OwnerOnlyFile.CreateNew(path);
        }
        catch (IOException) when (!goOn && File.Exists(path))
        {
            throw CliException.Usage($"{path} exists already.", "Add --resume to go on with it, or name another file.");
        }
    }

    private async Task<long> WriteAsync(
        AdminClient client,
        AuditExportRange range,
        Stream target,
        TextWriter? table,
        string path,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (!_terminal.ErrorIsTerminal)
            {
                return await CopyAsync(client, range, target, table, _ => { }, cancellationToken);
            }

            return await _terminal
                .ErrorConsole()
                .Status()
                .StartAsync(
                    "Exporting",
                    context =>
                        CopyAsync(
                            client,
                            range,
                            target,
                            table,
                            records =>
                                context.Status =
                                    $"Exporting: {records.ToString("N0", CultureInfo.InvariantCulture)} records",
                            cancellationToken
                        )
                );
        }
        catch (IOException exception)
        {
            throw new CliException(
                ExitCodes.Unavailable,
                $"The export broke off: {exception.Message}",
                $"Go on with the same command and --resume; {path} holds what came."
            );
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new CliException(
                ExitCodes.Interrupted,
                "Interrupted.",
                $"Go on with the same command and --resume; {path} holds what came."
            );
        }
    }

    private static async Task<long> CopyAsync(
        AdminClient client,
        AuditExportRange range,
        Stream target,
        TextWriter? table,
        Action<long> show,
        CancellationToken cancellationToken
    )
    {
        await using var output = new BufferedStream(target, 64 * 1024);
        var records = 0L;
        await foreach (var line in client.ExportAuditAsync(range, cancellationToken))
        {
            await output.WriteAsync(line.Bytes, cancellationToken);
            output.WriteByte((byte)'\n');
            if (table is not null && line.Cursor is not null && AuditEntry.Read(line.Bytes) is { } entry)
            {
                await table.WriteAsync(AuditCsv.Row(entry).AsMemory(), cancellationToken);
            }

            if (line.Cursor is not null && ++records % ShowEvery == 0)
            {
                show(records);
            }
        }

        return records;
    }
}
