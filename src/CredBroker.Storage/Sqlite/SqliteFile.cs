using CredBroker.Core.State;
using CredBroker.Storage.Sql;
using DbUp;
using Microsoft.Data.Sqlite;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// The database file: private to the broker's user, locked for one process, migrated, and opened in the one mode that
/// the store relies on.
/// </summary>
internal sealed partial class SqliteFile : IDisposable
{
    private readonly ReaderWriterLockSlim _closing = new();
    private readonly FileStream _lock;
    private readonly FileStream _itself;
    private readonly DiskReserve _reserve;
    private readonly string _reading;
    private readonly string _writing;
    private bool _isClosed;

    // Of the database and its log, as they were opened, and a reader that stays with them wherever they are moved.
    private (string Path, FileIdentity? Identity)[] _opened = [];
    private SqliteConnection? _kept;
    private Look _looked = new(0, null);

    private SqliteFile(string path, FileStream fileLock, FileStream itself, DiskReserve reserve)
    {
        (Path, _lock, _itself, _reserve) = (path, fileLock, itself, reserve);
        _writing = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString();
        _reading = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = true,
            DefaultTimeout = 5,
        }.ToString();
    }

    public string Path { get; }

    /// <summary>The migrations that opening it ran.</summary>
    public IReadOnlyList<string> Migrated { get; private set; } = [];

    /// <summary>
    /// Why nothing new is to be put into it; null where nothing keeps from it. Each request asks, so its place is not
    /// looked at for each: the writer does that before every commit.
    /// </summary>
    public string? Fault
    {
        get
        {
            if (TimeProvider.System.GetElapsedTime(_looked.At) > LooksEvery)
            {
                _looked = new(TimeProvider.System.GetTimestamp(), Displaced);
            }

            return _looked.Fault
                ?? (
                    _reserve.IsWhole
                        ? null
                        : $"The disk of {Path} is full, or was: what is kept there for revocations is used up or in use. "
                            + "Make room; it is kept anew by itself."
                );
        }
    }

    /// <summary>That another file, or none, is where this one was opened; null while it is the same.</summary>
    private string? Displaced =>
        Array.Exists(_opened, file => FileIdentity.Of(file.Path) != file.Identity)
            ? $"The store's file {Path} (or its -wal) was deleted or replaced while the broker runs. "
                + "What it knows is still read from the file that it opened, and nothing is written. Put that file back, "
                + "or revoke everything, stop the broker, and start it on a copy that is whole."
            : null;

    /// <summary>
    /// Why the broker's user could not use this file, or make it; null where nothing speaks against it. Nothing of a store
    /// that is there is read, changed or locked.
    /// </summary>
    public static string? FaultOf(string configuredPath)
    {
        var path = System.IO.Path.GetFullPath(configuredPath);
        try
        {
            if (File.Exists(path))
            {
                using var there = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            }

            // What is not there yet is made below the first directory that is.
            var directory = System.IO.Path.GetDirectoryName(path)!;
            while (!Directory.Exists(directory) && System.IO.Path.GetDirectoryName(directory) is { } above)
            {
                directory = File.Exists(directory) ? throw new IOException($"{directory} is no directory.") : above;
            }

            var probe = System.IO.Path.Combine(directory, $".credbroker-{Guid.NewGuid():N}");
            using var made = new FileStream(
                probe,
                FileMode.CreateNew,
                FileAccess.Write,
                FileShare.None,
                bufferSize: 1,
                FileOptions.DeleteOnClose
            );
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path} cannot be used ({e.Message}) Check the path, and the rights of the broker's user on file and "
                + "directory.";
        }
    }

    /// <exception cref="StoreUnavailableException">
    /// The file cannot be used; the message says why and what to do.
    /// </exception>
    /// <param name="configuredPath">Where it is.</param>
    /// <param name="reserved">How much of the disk is kept for revocations.</param>
    /// <param name="evenClosed">Whether a store is opened on which no broker may start.</param>
    public static SqliteFile Open(string configuredPath, long reserved = 0, bool evenClosed = false)
    {
        var path = System.IO.Path.GetFullPath(configuredPath);
        SqliteFile? file = null;
        try
        {
            MakePrivateDirectory(System.IO.Path.GetDirectoryName(path)!);
            // A link and its target are one database: both must find the same lock.
            path = Resolve(path);
            file = Lock(path, new(path + "-reserve", reserved));
            file.Restore();
            try
            {
                file.Migrate();
            }
            catch (Exception e) when (e is SqliteException or StoreUnavailableException && file.MakeRoom())
            {
                // A full disk: it starts on what is kept for that, and issues nothing.
                file.Migrate();
            }

            if (!evenClosed)
            {
                ClosedStore.Refuse(file.ReadClosed(), path);
            }

            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            file?.Dispose();
            throw new StoreUnavailableException(
                $"The store cannot use {path}: {e.Message} Check the path, "
                    + "the rights of the broker's user on file and directory, and the free space.",
                e
            );
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The writer's connection. Every commit is on disk before it is answered (<c>synchronous=FULL</c>).
    /// </summary>
    public SqliteConnection OpenWriter()
    {
        var connection = OpenWriting();
        _kept?.Dispose();
        _kept = new SqliteConnection(_reading);
        _kept.Open();
        using var command = _kept.CreateCommand();
        command.CommandText = "SELECT count(*) FROM store";
        command.ExecuteScalar();
        _opened = [.. new[] { Path, Path + "-wal" }.Select(path => (path, FileIdentity.Of(path)))];
        return connection;
    }

    /// <summary>Whether it is still the file at its path.</summary>
    /// <exception cref="StoreUnavailableException">It was deleted or replaced.</exception>
    public void EnsureInPlace()
    {
        if (Displaced is { } fault)
        {
            throw new StoreUnavailableException(fault);
        }
    }

    /// <summary>The disk may be full: gives up what is kept for that. Whether there is room now.</summary>
    public bool MakeRoom() => _reserve.Release();

    /// <summary>Keeps disk for revocations again, if there is enough.</summary>
    public void Restore() => _reserve.Restore();

    /// <summary>
    /// Runs a query on a connection that can only read: a pooled one, or where the file is no longer in its place, the
    /// one that was opened with it, because what was issued stands there.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The file is closed or does not answer.</exception>
    public T Read<T>(Func<SqliteConnection, T> query)
    {
        _closing.EnterReadLock();
        try
        {
            if (_isClosed)
            {
                throw new StoreUnavailableException("The store is closed.");
            }

            if (_kept is not null && Displaced is not null)
            {
                lock (_kept)
                {
                    SqliteConnection.ClearPool(_kept);
                    return query(_kept);
                }
            }

            using var connection = new SqliteConnection(_reading);
            connection.Open();
            return query(connection);
        }
        catch (SqliteException e)
        {
            throw new StoreUnavailableException($"The store does not answer: {e.Message}", e);
        }
        finally
        {
            _closing.ExitReadLock();
        }
    }

    /// <summary>Waits for reads that are under way, refuses later ones, and lets go of the file.</summary>
    public void Dispose()
    {
        _closing.EnterWriteLock();
        _isClosed = true;
        _kept?.Dispose();
        using (var connection = new SqliteConnection(_reading))
        {
            SqliteConnection.ClearPool(connection);
        }

        Fold();

        // Last of all: closing any handle of a file takes SQLite's own locks on it away from the whole process.
        InodeLock.Release(_itself.SafeFileHandle);
        _itself.Dispose();
        _lock.Dispose();
        _closing.ExitWriteLock();
    }

    // The last connection that closes puts the log into the database, unless it can only read: so that a stopped broker's
    // store is the one file.
    private void Fold()
    {
        if (_opened.Length == 0 || Displaced is not null)
        {
            return;
        }

        try
        {
            using var connection = OpenWriting();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT count(*) FROM store";
            command.ExecuteScalar();
        }
        catch (SqliteException)
        {
            // The next start reads the log as well.
        }
    }

    // Whoever holds the write lock beside the one writer (a backup, a shell) is waited for so long: what waits behind it
    // may be an order to revoke.
    private SqliteConnection OpenWriting()
    {
        var connection = new SqliteConnection(_writing);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            "PRAGMA synchronous=FULL; PRAGMA busy_timeout=1000; PRAGMA temp_store=MEMORY; "
            + "PRAGMA cache_size=-16000; PRAGMA journal_size_limit=67108864; PRAGMA trusted_schema=OFF";
        command.ExecuteNonQuery();
        return connection;
    }

    private void Migrate()
    {
        using (var connection = OpenWriting())
        {
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA journal_mode=WAL";
            if (command.ExecuteScalar() as string != "wal")
            {
                throw new StoreUnavailableException(
                    $"The store cannot use {Path}: "
                        + "its file system does not support SQLite's write-ahead log. Put the file on a local disk."
                );
            }
        }

        Migrated =
        [
            .. Migrated,
            .. SqlMigrations.Run(DeployChanges.To.SqliteDatabase(_writing), SqliteTables.Folder, Path),
        ];
    }

    private string? ReadClosed()
    {
        using var connection = OpenWriting();
        using var command = connection.CreateCommand();
        command.CommandText = ClosedStore.Query;
        return command.ExecuteScalar() as string;
    }

    private sealed record Look(long At, string? Fault);
}
