using CredBroker.Core.State;

namespace CredBroker.Storage;

/// <summary>Settings of the store: section <c>Storage</c>.</summary>
public sealed class StorageOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Storage";

    /// <summary>The database behind the store.</summary>
    public StorageProvider Provider { get; set; }

    /// <summary>
    /// For PostgreSQL: a file with the connection string, as Npgsql reads it. It holds a password: only the broker's user
    /// may read it.
    /// </summary>
    public string ConnectionStringFile { get; set; } = "";

    /// <summary>
    /// Whether a PostgreSQL server on another machine is believed without <c>SSL Mode=VerifyFull</c>: then who can come
    /// between the two can be the server.
    /// </summary>
    public bool AllowUnverifiedServer { get; set; }

    /// <summary>The SQLite file. Its directory is made if it is missing. One broker at a time uses it.</summary>
    public string SqliteFile { get; set; } = "credbroker.db";

    /// <summary>
    /// Disk that is kept beside the store for revocations, in MiB; 0 keeps none. It is given up when the disk is full,
    /// and nothing is issued until it is there again.
    /// </summary>
    public int ReserveMegabytes { get; set; } = 16;

    /// <summary>
    /// How many changes may wait for the writer; more are refused as overload instead of waiting without end.
    /// </summary>
    public int MaxWaiting { get; set; } = 4096;

    /// <summary>
    /// Everything that is wrong with the settings, each with what to write instead; empty when nothing is.
    /// </summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        if (Provider == StorageProvider.Postgres)
        {
            if (string.IsNullOrWhiteSpace(ConnectionStringFile))
            {
                faults.Add(
                    $"{Section}:{nameof(ConnectionStringFile)} is missing, and {Section}:{nameof(Provider)} is postgres. "
                        + "Write the path of a file with the connection string; the password stands there, in no setting."
                );
            }
        }
        else if (string.IsNullOrWhiteSpace(SqliteFile))
        {
            faults.Add(
                $"{Section}:{nameof(SqliteFile)} is empty. "
                    + "Write the path of the database file, such as /var/lib/credbroker/credbroker.db."
            );
        }
        else if (
            SqliteFile.AsSpan().ContainsAny('\0', '\n', '\r')
            || SqliteFile.StartsWith(':')
            || SqliteFile.StartsWith("file:", StringComparison.OrdinalIgnoreCase)
        )
        {
            faults.Add(
                $"{Section}:{nameof(SqliteFile)} is no path of a file. Write a plain path; "
                    + "in-memory databases and URIs are not taken, because the store must outlive the process."
            );
        }
        else if (Directory.Exists(SqliteFile))
        {
            faults.Add($"{Section}:{nameof(SqliteFile)} names a directory. Write the path of a file in it.");
        }

        if (MaxWaiting is < 16 or > 1_000_000)
        {
            faults.Add($"{Section}:{nameof(MaxWaiting)} is {MaxWaiting}. Write a number from 16 to 1000000.");
        }

        if (ReserveMegabytes is < 0 or > 65_536)
        {
            faults.Add($"{Section}:{nameof(ReserveMegabytes)} is {ReserveMegabytes}. Write a number from 0 to 65536.");
        }

        return faults;
    }

    /// <summary>
    /// What keeps the store from being opened, as far as its files tell: looked at without touching the store, which a
    /// running broker may use. Null when nothing is found; the database itself was not asked.
    /// </summary>
    public string? FileFault()
    {
        if (Provider == StorageProvider.Postgres)
        {
            try
            {
                _ = PostgreSql.ConnectionStringFile.Read(this);
                return null;
            }
            catch (StoreUnavailableException fault)
            {
                return fault.Message;
            }
        }

        return Sqlite.SqliteFile.FaultOf(SqliteFile) is { } why ? $"{Section}:{nameof(SqliteFile)}: {why}" : null;
    }
}
