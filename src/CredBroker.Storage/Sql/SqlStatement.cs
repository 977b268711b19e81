namespace CredBroker.Storage.Sql;

/// <summary>
/// A prepared statement of the writer's connection: set, step through the rows, read their columns by number, reset.
/// </summary>
internal abstract class SqlStatement : IDisposable
{
    /// <summary>Starts over with these values, in the order of the names that it was prepared with.</summary>
    public abstract void Bind(ReadOnlySpan<(string Name, SqlValue Value)> parameters);

    /// <summary>Runs it, or advances; false after the last row.</summary>
    public abstract bool Step();

    /// <summary>How many rows it changed.</summary>
    public abstract int Changes { get; }

    /// <summary>Lets go of the rows.</summary>
    public abstract void Reset();

    public abstract bool IsNull(int column);

    public abstract long Number(int column);

    public abstract string Text(int column);

    public abstract byte[] Bytes(int column);

    public long? NumberOrNull(int column) => IsNull(column) ? null : Number(column);

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    public abstract void Dispose();
}
