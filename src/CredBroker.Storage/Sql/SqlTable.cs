namespace CredBroker.Storage.Sql;

/// <summary>A table as the database describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">Its columns, without those that the database computes from others.</param>
/// <param name="Key">The columns of its primary key, in their order.</param>
internal sealed record SqlTable(string Name, IReadOnlyList<SqlColumn> Columns, IReadOnlyList<string> Key);

/// <summary>A column.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Declared">How the engine calls that.</param>
internal sealed record SqlColumn(string Name, SqlType Type, string Declared);
