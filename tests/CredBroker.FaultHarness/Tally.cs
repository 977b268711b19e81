using System.Collections.Concurrent;

namespace CredBroker.FaultHarness;

/// <summary>How often what happened, by group and name.</summary>
internal sealed class Tally
{
    private readonly ConcurrentDictionary<(string Group, string Name), int> _counts = new();

    public void Add(string group, string name) => _counts.AddOrUpdate((group, name), 1, (_, count) => count + 1);

    public int Of(string group, string name) => _counts.GetValueOrDefault((group, name));

    public IReadOnlyList<(string Name, int Count)> Group(string group) =>
        [
            .. _counts
                .Where(pair => pair.Key.Group == group)
                .OrderBy(pair => pair.Key.Name, StringComparer.Ordinal)
                .Select(pair => (pair.Key.Name, pair.Value)),
        ];
}
