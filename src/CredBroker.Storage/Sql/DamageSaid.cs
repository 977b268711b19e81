using System.Collections.Concurrent;

namespace CredBroker.Storage.Sql;

/// <summary>
/// Which damaged rows were said to be damaged, and how: each is said once, and again when something else is wrong with
/// it. A job that reads them each second would fill the log.
/// </summary>
internal sealed class DamageSaid
{
    private const int Most = 10_000;

    private readonly ConcurrentDictionary<string, string> _said = new(StringComparer.Ordinal);

    /// <summary>Whether this is to be said.</summary>
    public bool IsNew(string id, string fault)
    {
        if (_said.TryGetValue(id, out var said) && said == fault)
        {
            return false;
        }

        if (_said.Count >= Most)
        {
            // Twice rather than never.
            _said.Clear();
        }

        _said[id] = fault;
        return true;
    }
}
