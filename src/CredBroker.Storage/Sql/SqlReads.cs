using CredBroker.Core.State;

namespace CredBroker.Storage.Sql;

/// <summary>
/// Queries beside the writer: each sees what is committed, and nothing else. Rows are read by their columns' names,
/// parameters stand as <c>@name</c>. Throws <see cref="StoreUnavailableException"/> where the database does
/// not answer.
/// </summary>
internal abstract class SqlReads
{
    /// <summary>The first row; default when there is none.</summary>
    public abstract ValueTask<T?> FirstAsync<T>(string sql, object? parameters, CancellationToken cancellationToken);

    /// <summary>All rows.</summary>
    public abstract ValueTask<List<T>> AllAsync<T>(string sql, object? parameters, CancellationToken cancellationToken);

    /// <summary>
    /// What is written after a table so that this index is used; nothing where the engine's planner is trusted.
    /// </summary>
    public virtual string UseIndex(string index) => "";

    /// <summary>That the column's value is one of the list that is the parameter.</summary>
    public abstract string IsAmong(string column, string parameter);

    /// <summary>
    /// That the column's text is one of very many, which are put into a table of their own first: the parameter is a JSON
    /// array of them.
    /// </summary>
    public abstract string IsAmongMany(string column, string parameter);

    /// <summary>That the column's value is one of the few that the query answers, which are looked up one by one.</summary>
    public virtual string IsAmongFound(string column, string query) => $"{column} IN ({query})";
}
