namespace CredBroker.Storage;

/// <summary>The databases that can be behind the store.</summary>
public enum StorageProvider
{
    /// <summary>An SQLite file on the broker's own disk.</summary>
    Sqlite,

    /// <summary>A schema in a PostgreSQL database.</summary>
    Postgres,
}
