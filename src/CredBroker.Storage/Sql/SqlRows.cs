namespace CredBroker.Storage.Sql;

/// <summary>
/// How a row is written that nothing else of its batch looks at: by itself, and together with the batch's others of its
/// kind, for an engine to which each statement costs more than a row.
/// </summary>
/// <param name="One">For one row, with its parameters.</param>
/// <param name="Many">
/// For all rows of the table <c>rows</c>, whose columns are the parameters; it writes what <paramref name="One"/> does for
/// each in their order.
/// </param>
internal sealed record SqlRows(string One, string Many);
