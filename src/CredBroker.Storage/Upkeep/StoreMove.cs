using System.Data.Common;
using CredBroker.Core.Audit;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.State;
using CredBroker.Storage.PostgreSql;
using CredBroker.Storage.Sql;
using CredBroker.Storage.Sqlite;

namespace CredBroker.Storage.Upkeep;

/// <summary>
/// Moves a store to another place, on the same engine or the other one, while no broker runs on either.
/// <list type="number">
/// <item>Both are locked as a broker locks its store. The target has to be empty, and is closed to brokers.</item>
/// <item>Every table is copied, row by row, in one transaction of the target's.</item>
/// <item>
/// What is there then is read again: each table's rows and digest are the source's, and the audit chain holds.
/// </item>
/// <item>The source is closed: it says where it was moved to.</item>
/// <item>The target's transaction is committed, which opens it, and the source is closed for good.</item>
/// </list>
/// Whenever it ends before, no broker starts on the target, and it can be made again. Between the last two no broker
/// starts on either, until it was: never two that each know a part of what was issued.
/// </summary>
public sealed class StoreMove
{
    private const string Row = "store";

    private readonly StorageOptions _to;
    private readonly SqlTables _source;
    private readonly SqlTables _target;
    private readonly IProgress<StoreMoveStep> _progress;
    private readonly CancellationToken _cancellationToken;
    private string _whereabouts = "";

    private StoreMove(
        StorageOptions to,
        (SqlTables Source, SqlTables Target) tables,
        IProgress<StoreMoveStep> progress,
        CancellationToken cancellationToken
    ) =>
        (_to, _source, _target, _progress, _cancellationToken) = (
            to,
            tables.Source,
            tables.Target,
            progress,
            cancellationToken
        );

    /// <summary>Moves it. Returns what was moved, once it is proven and committed.</summary>
    /// <param name="from">The store.</param>
    /// <param name="to">Where it goes: an empty schema, or a file that is not there.</param>
    /// <param name="progress">Told of every table, and every few thousand rows.</param>
    /// <param name="cancellationToken">Stops it, until the source is closed.</param>
    /// <exception cref="StoreUnavailableException">It was not moved, or it is not known whether: the message says which.</exception>
    public static async Task<StoreMoved> RunAsync(
        StorageOptions from,
        StorageOptions to,
        IProgress<StoreMoveStep> progress,
        CancellationToken cancellationToken
    )
    {
        try
        {
            EnsureMovable(StoreReport.Read(from));
            EnsureEmptyIfThere(to);
            using var source = Open(from);
            using var target = Open(to);
            return await new StoreMove(to, (source, target), progress, cancellationToken).RunAsync();
        }
        catch (Exception e) when (IsOfDatabase(e))
        {
            throw new StoreUnavailableException($"Nothing was moved, and the store is as it was: {e.Message}", e);
        }
    }

    private async Task<StoreMoved> RunAsync()
    {
        EnsureSame();
        EnsureEmpty(_target);
        _whereabouts = _target.Whereabouts;
        var closed = ClosedStore.Of(_source);
        if (closed is not null && closed != ClosedStore.MovingTo(_whereabouts))
        {
            ClosedStore.Refuse(closed, _source.Place);
        }

        ClosedStore.Close(_target, ClosedStore.Unfinished);
        _source.Begin();
        _target.Begin();
        var tables = new List<StoreMovedTable>();
        foreach (var table in _source.All)
        {
            tables.Add(Copy(table));
        }

        foreach (var (table, copied) in _source.All.Zip(tables))
        {
            Compare(table, copied);
        }

        var chain = await VerifyChainAsync();
        _target.Settle();
        ClosedStore.Close(_target, null);
        _cancellationToken.ThrowIfCancellationRequested();
        Failpoint.Pass("store-copied");

        // From here on it goes through: nothing stops it but its end.
        _progress.Report(new("Closing", "the store that is left", 0));
        CloseSource();
        Failpoint.Pass("store-source-closed");
        Commit();
        Failpoint.Pass("store-moved");
        _progress.Report(new("Closing", "the store that is left, for good", 0));
        CloseForGood();
        return new()
        {
            From = _source.Place,
            To = _target.Place,
            Tables = tables,
            AuditRecords = chain.Records,
            Head = chain.Streams[^1].Head,
        };
    }

    /// <summary>Every column and row. What the target holds of the table, is the one row that every store has.</summary>
    private StoreMovedTable Copy(SqlTable table)
    {
        if (table.Name == Row)
        {
            _target.Execute($"DELETE FROM {SqlTables.Quoted(table.Name)}");
        }

        using var digest = new TableDigest(table);
        try
        {
            _target.Fill(table, Watched("Copying", table, digest));
        }
        catch (Exception e) when (e is DbException or System.Text.DecoderFallbackException)
        {
            throw new StoreUnavailableException(
                $"The table {table.Name} could not be copied (row {digest.Rows} of it): {e.Message} "
                    + "Nothing was moved, and the store is as it was.",
                e
            );
        }

        return new(table.Name, digest.Rows, digest.Finish());
    }

    private void Compare(SqlTable table, StoreMovedTable copied)
    {
        using var digest = new TableDigest(table);
        foreach (var _ in Watched("Verifying", table, digest, _target))
        {
            // It is counted and digested on the way.
        }

        if (digest.Rows != copied.Rows || digest.Finish() != copied.Digest)
        {
            throw new StoreUnavailableException(
                $"What was copied of the table {table.Name} is not what the store holds ({copied.Rows} rows, "
                    + $"{digest.Rows} in the copy). Nothing was moved, and the store is as it was."
            );
        }
    }

    private IEnumerable<object?[]> Watched(string what, SqlTable table, TableDigest digest, SqlTables? tables = null)
    {
        const int told = 5000;
        _progress.Report(new(what, table.Name, 0));
        foreach (var row in (tables ?? _source).Rows(table))
        {
            _cancellationToken.ThrowIfCancellationRequested();
            digest.Add(row);
            yield return row;
            if (digest.Rows % told == 0)
            {
                _progress.Report(new(what, table.Name, digest.Rows));
            }
        }
    }

    private async Task<AuditVerification> VerifyChainAsync()
    {
        _progress.Report(new("Verifying", "the audit chain", 0));
        var chain = await ChainCheck.VerifyAsync(_target.Log(), _cancellationToken);
        return chain switch
        {
            { Fault: { } fault } => throw new StoreUnavailableException(
                $"The audit chain does not hold (stream {fault.Stream}, event {fault.Sequence}): {fault.What} "
                    + "It was copied as it stands in the store. Nothing was moved."
            ),
            { Streams: [] } => throw new StoreUnavailableException(
                $"The store at {_source.Place} holds no audit record: no broker has run on it. Nothing was moved."
            ),
            _ => chain,
        };
    }

    private void CloseSource()
    {
        ClosedStore.Close(_source, ClosedStore.MovingTo(_whereabouts));
        try
        {
            _source.Commit();
        }
        catch (Exception e) when (IsOfDatabase(e))
        {
            throw Halfway(e);
        }
    }

    private void Commit()
    {
        try
        {
            _target.Commit();
        }
        catch (Exception e) when (IsOfDatabase(e))
        {
            _target.Dispose();
            if (IsThere(e))
            {
                return;
            }

            OpenSource(e);
            throw new StoreUnavailableException(
                $"The copy could not be committed: {e.Message} Nothing was moved, and the store is as it was.",
                e
            );
        }
    }

    private void CloseForGood()
    {
        try
        {
            ClosedStore.Close(_source, ClosedStore.MovedTo(_target.Place));
        }
        catch (Exception e) when (IsOfDatabase(e))
        {
            throw new StoreUnavailableException(
                $"The store was moved to {_target.Place}, and is whole there: start the broker there. The one at "
                    + $"{_source.Place} is closed, but could not be told that the move is done ({e.Message}): delete it.",
                e
            );
        }
    }

    private void OpenSource(Exception failure)
    {
        try
        {
            ClosedStore.Close(_source, null);
        }
        catch (Exception e) when (IsOfDatabase(e))
        {
            // Its connection may be gone, too.
            throw Halfway(failure);
        }
    }

    /// <summary>A fault, or that the connection is known to be gone, which is said otherwise.</summary>
    private static bool IsOfDatabase(Exception failure) => failure is DbException or InvalidOperationException;

    private StoreUnavailableException Halfway(Exception failure) =>
        new(
            $"The copy broke off: {failure.Message} The store at {_source.Place} may be closed already, and nothing is in "
                + $"the one at {_target.Place}. Run the same command again: it goes on from either.",
            failure
        );

    /// <summary>Whether it was committed: its lock can be had only once that is settled.</summary>
    private bool IsThere(Exception failure)
    {
        try
        {
            using var again = Open(_to);
            return ClosedStore.Of(again) is null;
        }
        catch (Exception e) when (IsOfDatabase(e) || e is StoreUnavailableException)
        {
            throw new StoreUnavailableException(
                $"It is not known whether the copy was committed: {failure.Message} The store at {_source.Place} stays "
                    + $"closed. Look with store info at {_target.Place}: if it is closed or empty, copy again; if not, "
                    + "the move is done.",
                e
            );
        }
    }

    private void EnsureSame()
    {
        var (there, here) = (Names(_source), Names(_target));
        if (there.Except(here).Concat(here.Except(there)).FirstOrDefault() is { } odd)
        {
            throw new StoreUnavailableException(
                $"{odd} is in one of the two stores only: it would be lost, or is not known. Nothing was moved."
            );
        }

        static HashSet<string> Names(SqlTables tables) =>
            [
                .. tables.All.SelectMany(table =>
                    table.Columns.Select(column => $"{table.Name}.{column.Name} ({column.Type})")
                ),
            ];
    }

    private static void EnsureMovable(StoreReport report)
    {
        if (report.Version is null)
        {
            throw new StoreUnavailableException($"There is no store at {report.Place}.");
        }

        if (report.Closed is { } closed && !ClosedStore.IsMoving(closed))
        {
            ClosedStore.Refuse(closed, report.Place);
        }

        if (report.Unknown is [var unknown, ..])
        {
            throw new StoreUnavailableException(
                $"The store at {report.Place} was written by a newer version: it has the migration {unknown}."
            );
        }

        if (report.Pending is [var pending, ..])
        {
            throw new StoreUnavailableException(
                $"The store at {report.Place} lacks the migration {pending}: run credbroker store migrate on it first."
            );
        }
    }

    private static void EnsureEmptyIfThere(StorageOptions to)
    {
        if (to.Provider == StorageProvider.Postgres || new FileInfo(to.SqliteFile) is { Exists: true, Length: > 0 })
        {
            using SqlTables tables =
                to.Provider == StorageProvider.Postgres ? PostgresTables.OpenToRead(to) : SqliteTables.OpenToRead(to);
            EnsureEmpty(tables);
        }
    }

    private static void EnsureEmpty(SqlTables tables)
    {
        if (tables.All.FirstOrDefault(table => table.Name != Row && tables.HasRows(table)) is { } filled)
        {
            throw new StoreUnavailableException(
                $"The target, {tables.Place}, is not empty: its table {filled.Name} has rows. A store is moved to an "
                    + "empty schema, or to a file that is not there."
            );
        }
    }

    private static SqlTables Open(StorageOptions options) =>
        options.Provider == StorageProvider.Postgres
            ? PostgresTables.OpenAlone(options)
            : SqliteTables.OpenAlone(options);
}

/// <summary>What was moved.</summary>
public sealed record StoreMoved
{
    /// <summary>Where it was, and is closed.</summary>
    public required string From { get; init; }

    /// <summary>Where it is.</summary>
    public required string To { get; init; }

    /// <summary>Its tables.</summary>
    public required IReadOnlyList<StoreMovedTable> Tables { get; init; }

    /// <summary>How many records of the audit log were verified: all but those that are archived.</summary>
    public required long AuditRecords { get; init; }

    /// <summary>The newest of them.</summary>
    public required AuditPosition Head { get; init; }
}

/// <summary>A table that was moved.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">How many rows it has, here and there.</param>
/// <param name="Digest">SHA-256 over all of them, here and there.</param>
public sealed record StoreMovedTable(string Name, long Rows, string Digest);

/// <summary>How far it is.</summary>
/// <param name="What">What is done.</param>
/// <param name="Table">To which table.</param>
/// <param name="Rows">How many rows of it are done.</param>
public readonly record struct StoreMoveStep(string What, string Table, long Rows);
