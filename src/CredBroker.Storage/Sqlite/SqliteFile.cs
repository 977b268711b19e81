using CredBroker.Core.State;
using DbUp;
using Microsoft.Data.Sqlite;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// The database file: private to the broker's user, locked for one process, migrated, and opened in the one mode that
/// the store relies on.
/// </summary>
internal sealed class SqliteFile : IDisposable
{
    // What opening a file reports that another process has locked: EWOULDBLOCK, ERROR_SHARING_VIOLATION.
    private const int LockedLinux = 11;
    private const int LockedMac = 35;
    private const int LockedWindows = unchecked((int)0x80070020);
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const string MigrationPrefix = "CredBroker.Storage.Migrations.Sqlite.";
    private readonly ReaderWriterLockSlim _closing = new();
    private readonly FileStream _lock;
    private readonly string _reading;
    private readonly string _writing;
    private bool _isClosed;

    private SqliteFile(string path, FileStream fileLock)
    {
        Path = path;
        _lock = fileLock;
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

    /// <exception cref="StoreUnavailableException">
    /// The file cannot be used; the message says why and what to do.
    /// </exception>
    public static SqliteFile Open(string configuredPath)
    {
        var path = System.IO.Path.GetFullPath(configuredPath);
        SqliteFile? file = null;
        try
        {
            MakePrivateDirectory(System.IO.Path.GetDirectoryName(path)!);
            // A link and its target are one database: both must find the same lock.
            path = new FileInfo(path).LinkTarget is null
                ? path
                : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
            file = new(path, Lock(path));
            using (OpenPrivate(path, FileShare.ReadWrite))
            {
                // SQLite gives its -wal and -shm files the mode of the database file, so that is set before SQLite sees
                // it.
            }

            file.Migrate();
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
        var connection = new SqliteConnection(_writing);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            "PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000; PRAGMA temp_store=MEMORY; "
            + "PRAGMA cache_size=-16000; PRAGMA journal_size_limit=67108864; PRAGMA trusted_schema=OFF";
        command.ExecuteNonQuery();
        return connection;
    }

    /// <summary>Runs a query on a pooled connection that can only read.</summary>
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
        using (var connection = new SqliteConnection(_reading))
        {
            SqliteConnection.ClearPool(connection);
        }

        _lock.Dispose();
        _closing.ExitWriteLock();
    }

    private void Migrate()
    {
        using (var connection = OpenWriter())
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

        var upgrade = DeployChanges
            .To.SqliteDatabase(_writing)
            .WithScriptsEmbeddedInAssembly(
                typeof(SqliteFile).Assembly,
                name => name.StartsWith(MigrationPrefix, StringComparison.Ordinal)
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
                $"The store at {Path} was written by a newer broker (it has the migration {unknown}). "
                    + "Start that version, or restore a backup from before it."
            );
        }

        if (upgrade.PerformUpgrade() is { Successful: false } result)
        {
            throw new StoreUnavailableException(
                $"The migration {result.ErrorScript?.Name} of {Path} failed: {result.Error.Message}",
                result.Error
            );
        }
    }

    // Held as long as the process lives; the kernel lets go of it however the process ends.
    private static FileStream Lock(string path)
    {
        try
        {
            return OpenPrivate(path + ".lock", FileShare.None);
        }
        catch (IOException e) when (e.HResult is LockedLinux or LockedMac or LockedWindows)
        {
            throw new StoreUnavailableException(
                $"Another broker uses {path} (it holds {path}.lock). "
                    + "A SQLite store belongs to one broker: stop the other one, or give this one a file of its own.",
                e
            );
        }
    }

    private static FileStream OpenPrivate(string path, FileShare share)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = share,
        };
        if (OperatingSystem.IsWindows())
        {
            return new(path, options);
        }

        options.UnixCreateMode = OwnerOnly;
        var stream = new FileStream(path, options);
        File.SetUnixFileMode(stream.SafeFileHandle, OwnerOnly);
        return stream;
    }

    private static void MakePrivateDirectory(string directory)
    {
        if (Directory.Exists(directory))
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        }
    }
}
