using CredBroker.Core.State;

namespace CredBroker.Storage.Sql;

/// <summary>
/// A store on which no broker may start, and which says why: because what it knows goes on elsewhere, or because it does
/// not know everything yet. Two brokers that each know half of what was issued would be worse than none.
/// </summary>
internal static class ClosedStore
{
    private const string Moving = "A move to ";

    /// <summary>Reads why it is closed; null where it is not.</summary>
    public const string Query = "SELECT closed FROM store";

    /// <summary>Why it is closed; null where it is not.</summary>
    public static string? Of(SqlTables tables) =>
        tables.Read(Query, row => row.IsDBNull(0) ? null : row.GetString(0)) is [var closed] ? closed : null;

    /// <summary>What a store says that a copy is being made into.</summary>
    public const string Unfinished = "A copy into it was begun and is not finished: make it again.";

    /// <summary>What a store says of which a copy is verified, and perhaps committed.</summary>
    public static string MovingTo(string place) =>
        $"{Moving}{place} was begun. If store info says that the store there is closed or empty, copy again; if not, "
        + "start the broker there.";

    /// <summary>Whether it may be moved all the same: there, where it was begun.</summary>
    public static bool IsMoving(string closed) => closed.StartsWith(Moving, StringComparison.Ordinal);

    /// <summary>What a store says that was moved: it is not moved a second time, not even to a place of the same name.</summary>
    public static string MovedTo(string place) => $"It was moved to {place}: start the broker there.";

    /// <summary>Closes it, or opens it where there is no reason.</summary>
    public static void Close(SqlTables tables, string? why)
    {
        if (tables.Execute("UPDATE store SET closed = @why", ("@why", why)) != 1)
        {
            throw new StoreUnavailableException(
                $"The store at {tables.Place} has not the one row that it should have."
            );
        }
    }

    /// <exception cref="StoreUnavailableException">The store at this place is closed.</exception>
    public static void Refuse(string? closed, string place)
    {
        if (closed is not null)
        {
            throw new StoreUnavailableException($"The store at {place} is closed. {closed}");
        }
    }
}
