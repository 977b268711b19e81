namespace CredBroker.Benchmarks;

/// <summary>
/// What a bench that is ended by a signal would leave behind: processes, a PostgreSQL that has detached itself,
/// directories. Static because a signal ends the process and not one suite.
/// </summary>
internal static class Leftovers
{
    private static readonly Lock Gate = new();
    private static readonly List<Func<Task>> Kept = [];
    private static bool _isOver;

    /// <summary>Notes how something is removed that was, or is about to be, made.</summary>
    /// <exception cref="OperationCanceledException">The bench is being ended.</exception>
    public static void Keep(Func<Task> remove) => Change(() => Kept.Add(remove));

    /// <summary>
    /// Leaves the removal to the caller. While the bench is being ended it throws, so that nothing is removed twice.
    /// </summary>
    /// <exception cref="OperationCanceledException">The bench is being ended.</exception>
    public static void Release(Func<Task> remove) => Change(() => Kept.Remove(remove));

    /// <summary>Removes all, the newest first: a broker before the directory that it writes to.</summary>
    public static async Task RemoveAllAsync()
    {
        lock (Gate)
        {
            _isOver = true;
        }

        foreach (var remove in Enumerable.Reverse(Kept))
        {
            try
            {
                await remove();
            }
            catch (Exception fault)
            {
                // The others must go all the same.
                Console.Error.WriteLine($"Something is left behind: {fault.Message}");
            }
        }
    }

    private static void Change(Action change)
    {
        lock (Gate)
        {
            if (_isOver)
            {
                throw new OperationCanceledException("The bench is being ended.");
            }

            change();
        }
    }
}
