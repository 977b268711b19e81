using CredBroker.Storage.Sql;

namespace CredBroker.Storage.PostgreSql;

/// <summary>
/// Rows that the guards of a batch read, as they were found, until a change of the batch makes them others. Nobody else
/// can: the batch has the store's lock.
/// </summary>
internal sealed class ForeseenRows
{
    private readonly Dictionary<Key, object?> _rows = [];
    private readonly HashSet<string> _statements = new(ReferenceEqualityComparer.Instance);
    private readonly List<Key> _sinceSavepoint = [];

    /// <summary>Whether rows of this statement are kept.</summary>
    public bool Holds(string sql) => _statements.Contains(sql);

    /// <summary>Keeps a row that was read, or that there is none.</summary>
    public void Keep(in Key key, object? row)
    {
        _statements.Add(key.Sql);
        _rows[key] = row;
        _sinceSavepoint.Add(key);
    }

    public bool TryFind(in Key key, out object? row) => _rows.TryGetValue(key, out row);

    public void Forget(in Key key) => _rows.Remove(key);

    /// <summary>What is kept from here on may be undone.</summary>
    public void Savepoint() => _sinceSavepoint.Clear();

    /// <summary>What was read since the savepoint may have been what is undone now.</summary>
    public void RollbackToSavepoint()
    {
        foreach (var key in _sinceSavepoint)
        {
            _rows.Remove(key);
        }
    }

    public void Clear()
    {
        _rows.Clear();
        _statements.Clear();
        _sinceSavepoint.Clear();
    }

    /// <summary>A statement, and the texts that it is given.</summary>
    internal readonly record struct Key(string Sql, string First, string? Second)
    {
        public static Key Of(string sql, ReadOnlySpan<(string Name, SqlValue Value)> parameters) =>
            new(sql, parameters[0].Value.Text, parameters.Length > 1 ? parameters[1].Value.Text : null);
    }
}
