using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Storage;
using CredBroker.Storage.Upkeep;
using Spectre.Console;
using Grid = CredBroker.Cli.Output.Grid;

namespace CredBroker.Cli.Commands.Store;

/// <summary><c>credbroker store copy</c>: a store goes to another place, and the old one is closed.</summary>
internal sealed class StoreCopyCommand : Command
{
    private readonly Terminal _terminal;
    private readonly StoreOption _from = new(
        "--from",
        "The store, of which the broker is stopped; it is closed by this"
    );
    private readonly StoreOption _to = new("--to", "Where it goes: an empty schema, or a file that is not there");
    private readonly Option<bool> _allowUnverified = StoreOption.AllowUnverified();

    public StoreCopyCommand(Terminal terminal)
        : base(
            "copy",
            "Move a store: copy all of it to an empty one, verify the copy, and close the old one. The broker is stopped."
        )
    {
        _terminal = terminal;
        _from.AddTo(this);
        _to.AddTo(this);
        Add(_allowUnverified);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (from, to) = (_from.Of(parsed, _allowUnverified), _to.Of(parsed, _allowUnverified));
        var moved = _terminal.ErrorIsTerminal
            ? await _terminal
                .ErrorConsole()
                .Status()
                .StartAsync(
                    "Opening",
                    context => RunAsync(from, to, text => context.Status = Markup.Escape(text), cancellationToken)
                )
            : await RunAsync(from, to, _ => { }, cancellationToken);
        var format = OutputOption.Of(parsed, _terminal);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(MovedOutput.Of(moved), CliJson.Default.MovedOutput));
        }
        else
        {
            Grid.Write(
                _terminal,
                format,
                ["Table", "Rows", "SHA-256, here and there"],
                [.. moved.Tables.Select(table => new[] { table.Name, Number(table.Rows), table.Digest })]
            );
            _terminal.Out.WriteLine($"Head: {moved.Head}");
        }

        _terminal.Error.WriteLine(
            $"Moved to {Printable.Text(moved.To)}: each table's rows and digest are the same, and the chain of "
                + $"{Number(moved.AuditRecords)} audit records holds there. {Printable.Text(moved.From)} is closed, and no "
                + "broker starts on it. A backup of it is not: never start a broker on one."
        );
        _terminal.Error.WriteLine("Next: set Storage:Provider and what belongs to it, and start the broker.");
        return ExitCodes.Done;
    }

    private static Task<StoreMoved> RunAsync(
        StorageOptions from,
        StorageOptions to,
        Action<string> show,
        CancellationToken cancellationToken
    ) =>
        // Databases are read and written on the thread that calls.
        Task.Run(() => StoreMove.RunAsync(from, to, new Shown(show), cancellationToken), cancellationToken);

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private sealed class Shown(Action<string> show) : IProgress<StoreMoveStep>
    {
        public void Report(StoreMoveStep value) =>
            show(
                value.Rows == 0
                    ? $"{value.What} {value.Table}"
                    : $"{value.What} {value.Table}: {Number(value.Rows)} rows"
            );
    }
}

/// <summary>The JSON of <c>store copy</c>. The head is <c>stream:sequence:hash</c>.</summary>
internal sealed record MovedOutput(
    string From,
    string To,
    IReadOnlyList<MovedTableOutput> Tables,
    long AuditRecords,
    string Head
)
{
    public static MovedOutput Of(StoreMoved moved) =>
        new(
            moved.From,
            moved.To,
            [.. moved.Tables.Select(table => new MovedTableOutput(table.Name, table.Rows, table.Digest))],
            moved.AuditRecords,
            moved.Head.ToString()
        );
}

/// <summary>A table of it.</summary>
internal sealed record MovedTableOutput(string Name, long Rows, string Sha256);
