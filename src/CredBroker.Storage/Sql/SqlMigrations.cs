using CredBroker.Core.State;
using DbUp.Builder;

namespace CredBroker.Storage.Sql;

/// <summary>
/// Brings a database's tables to what this version needs: each change is one file, run once and recorded, in a
/// transaction of its own. There is no way back.
/// </summary>
internal static class SqlMigrations
{
    /// <summary>The table in which they are recorded.</summary>
    public const string Journal = "schemaversions";

    private const string Root = "CredBroker.Storage.Migrations.";
    private const string Ending = ".sql";

    /// <summary>Runs those that the database has not had. Returns them, by the names of <see cref="NameOf"/>.</summary>
    /// <param name="database">The database, as DbUp reaches it.</param>
    /// <param name="engine">The folder of its migrations.</param>
    /// <param name="place">The database, as a message names it.</param>
    /// <param name="mayChange">Whether the user may change tables; who may not needs a store that lacks none.</param>
    /// <param name="beforeChange">Called first if there are any.</param>
    /// <exception cref="StoreUnavailableException">
    /// One fails, or the database has had one that this version does not know, or lacks one that the user may not run.
    /// </exception>
    public static IReadOnlyList<string> Run(
        UpgradeEngineBuilder database,
        string engine,
        string place,
        bool mayChange = true,
        Action? beforeChange = null
    )
    {
        var upgrade = database
            .WithScriptsEmbeddedInAssembly(
                typeof(SqlMigrations).Assembly,
                name => name.StartsWith(Folder(engine), StringComparison.Ordinal)
            )
            .WithVariablesDisabled()
            .WithTransactionPerScript()
            .LogToNowhere()
            .Build();
        if (
            upgrade
                .GetExecutedScripts()
                .Except(upgrade.GetDiscoveredScripts().Select(script => script.Name))
                .FirstOrDefault() is
            { } unknown
        )
        {
            throw new StoreUnavailableException(
                $"The store at {place} was written by a newer broker (it has the migration {unknown}). "
                    + "Start that version, or restore a backup from before it."
            );
        }

        if (!upgrade.IsUpgradeRequired())
        {
            return [];
        }

        if (!mayChange && upgrade.GetScriptsToExecute() is [var lacking, ..])
        {
            throw new StoreUnavailableException(
                $"The store at {place} lacks the migration {NameOf(lacking.Name, engine)}, and the broker's user may "
                    + "not change its tables. Run credbroker store migrate as the user who owns them."
            );
        }

        beforeChange?.Invoke();
        var result = upgrade.PerformUpgrade();
        return result.Successful
            ? [.. result.Scripts.Select(script => NameOf(script.Name, engine))]
            : throw new StoreUnavailableException(
                $"The migration {result.ErrorScript?.Name} of {place} failed: {result.Error.Message}",
                result.Error
            );
    }

    /// <summary>All that this version knows, oldest first.</summary>
    public static IReadOnlyList<string> Known(string engine) =>
        [
            .. typeof(SqlMigrations)
                .Assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith(Folder(engine), StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name => NameOf(name, engine)),
        ];

    /// <summary>What people call it: <c>0001_initial</c>.</summary>
    public static string NameOf(string recorded, string engine) =>
        recorded.StartsWith(Folder(engine), StringComparison.Ordinal)
        && recorded.EndsWith(Ending, StringComparison.Ordinal)
            ? recorded[Folder(engine).Length..^Ending.Length]
            : recorded;

    private static string Folder(string engine) => $"{Root}{engine}.";
}
