using CredBroker.Core.State;
using DbUp.Builder;

namespace CredBroker.Storage.Sql;

/// <summary>
/// Brings a database's tables to what this version needs: each change is one file, run once and recorded, in a
/// transaction of its own. There is no way back.
/// </summary>
internal static class SqlMigrations
{
    private const string Root = "CredBroker.Storage.Migrations.";

    /// <summary>Runs those that the database has not had.</summary>
    /// <param name="database">The database, as DbUp reaches it.</param>
    /// <param name="engine">The folder of its migrations.</param>
    /// <param name="place">The database, as a message names it.</param>
    /// <param name="beforeChange">Called first if there are any.</param>
    /// <returns>Whether there were any.</returns>
    /// <exception cref="StoreUnavailableException">One fails, or the database has had one that this version does not know.</exception>
    public static bool Run(UpgradeEngineBuilder database, string engine, string place, Action? beforeChange = null)
    {
        var upgrade = database
            .WithScriptsEmbeddedInAssembly(
                typeof(SqlMigrations).Assembly,
                name => name.StartsWith($"{Root}{engine}.", StringComparison.Ordinal)
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
            return false;
        }

        beforeChange?.Invoke();
        if (upgrade.PerformUpgrade() is { Successful: false } result)
        {
            throw new StoreUnavailableException(
                $"The migration {result.ErrorScript?.Name} of {place} failed: {result.Error.Message}",
                result.Error
            );
        }

        return true;
    }
}
