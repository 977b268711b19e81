using System.Data.Common;
using CredBroker.Testing.Servers;
using Microsoft.Data.Sqlite;

namespace CredBroker.FaultHarness.Servers;

/// <summary>One broker's file, on a disk of its own that can be filled.</summary>
internal sealed class SqliteStore : ArenaStore
{
    private readonly string _file;

    private SqliteStore(string file, SmallDisk? disk) => (_file, Disk) = (file, disk);

    /// <summary>What the file lies on; null where none can be mounted.</summary>
    public SmallDisk? Disk { get; }

    public static async Task<SqliteStore> MakeAsync(string folder)
    {
        var store = Directory.CreateDirectory(Path.Combine(folder, "store")).FullName;
        return new(Path.Combine(store, "broker.db"), await SmallDisk.MountAsync(store, megabytes: 512));
    }

    public override IReadOnlyDictionary<string, string> Settings(int broker) =>
        new Dictionary<string, string> { ["Storage:SqliteFile"] = _file };

    public override async Task<DbConnection> OpenAsync()
    {
        var settings = new SqliteConnectionStringBuilder
        {
            DataSource = _file,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
        };
        var connection = new SqliteConnection(settings.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    // To read after a crash SQLite has to write, too.
    public override bool IsBroken(Exception error) => error is SqliteException && Disk is { IsFull: true };

    // By SQLite itself: a copied file would lack what is still in the write-ahead log.
    public override async Task KeepAsync(string folder)
    {
        await using var store = await OpenAsync();
        await using var copy = ((SqliteConnection)store).CreateCommand();
        copy.CommandText = "VACUUM INTO $file";
        copy.Parameters.AddWithValue("$file", Path.Combine(folder, "broker.db"));
        await copy.ExecuteNonQueryAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        if (Disk is not null)
        {
            await Disk.DisposeAsync();
        }
    }
}
