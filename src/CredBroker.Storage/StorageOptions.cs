namespace CredBroker.Storage;

/// <summary>Settings of the store: section <c>Storage</c>.</summary>
public sealed class StorageOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Storage";

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
        if (string.IsNullOrWhiteSpace(SqliteFile))
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
}
