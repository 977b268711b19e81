using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Storage.Upkeep;

namespace CredBroker.Cli.Commands.Store;

/// <summary><c>credbroker store migrate</c>: brings a store to this version, while no broker runs on it.</summary>
internal sealed class StoreMigrateCommand : Command
{
    private readonly Terminal _terminal;
    private readonly StoreOption _store = new("--store", "The store, of which the broker is stopped");
    private readonly Option<bool> _allowUnverified = StoreOption.AllowUnverified();

    public StoreMigrateCommand(Terminal terminal)
        : base(
            "migrate",
            "Bring a store's tables to this version, as the broker's start does. The broker is stopped; there is no way back."
        )
    {
        _terminal = terminal;
        _store.AddTo(this);
        Add(_allowUnverified);
        Add(OutputOption.Create());
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var options = _store.Of(parsed, _allowUnverified);
        if (StoreReport.Read(options) is { Unknown: [var unknown, ..] } newer)
        {
            throw new CliException(
                ExitCodes.Failed,
                $"The store at {newer.Place} was written by a newer version: it has the migration {unknown}.",
                "Use that version, or restore a backup from before it. There is no way back."
            );
        }

        var made = StoreMigration.Run(options);
        if (OutputOption.Of(parsed, _terminal) == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(
                JsonSerializer.Serialize(new MigrationOutput([.. made]), CliJson.Default.MigrationOutput)
            );
            return ExitCodes.Done;
        }

        foreach (var name in made)
        {
            _terminal.Out.WriteLine($"Done: {name}");
        }

        _terminal.Error.WriteLine(
            made.Count == 0
                ? "Nothing was to do: the store lacks no migration of this version."
                : "The store is up to date."
        );
        return ExitCodes.Done;
    }
}

/// <summary>The JSON of <c>store migrate</c>: what was run, in its order.</summary>
internal sealed record MigrationOutput(IReadOnlyList<string> Done);
