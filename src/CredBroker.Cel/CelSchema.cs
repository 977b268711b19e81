using CredBroker.Cel.Checking;

namespace CredBroker.Cel;

/// <summary>
/// The names that a condition may read: dotted paths with their types. The part before a path's last dot is no value by
/// itself.
/// </summary>
public sealed class CelSchema
{
    private readonly Dictionary<string, CelVariable> _variables = new(StringComparer.Ordinal);

    private readonly List<string> _paths = [];

    /// <summary>
    /// Takes the paths in order: a path's place is the slot by which a <see cref="CelFrame"/> reads it.
    /// </summary>
    public CelSchema(params IEnumerable<(string Path, CelType Type)> paths)
    {
        foreach (var (path, type) in paths)
        {
            _variables.Add(path, new(path, _variables.Count, type));
            _paths.Add(path);
        }
    }

    /// <summary>The paths; a path's index is its slot.</summary>
    public IReadOnlyList<string> Paths => _paths;

    internal CelVariable? Find(string path) => _variables.GetValueOrDefault(path);

    /// <summary>Whether paths begin with this name.</summary>
    internal bool IsRoot(string name) =>
        _variables.Keys.Any(path => path.StartsWith(name + ".", StringComparison.Ordinal));

    /// <summary>
    /// What may follow the prefix: the next parts of the paths that begin with it; all first parts for an empty prefix.
    /// </summary>
    internal IEnumerable<string> NamesAfter(string prefix) =>
        _variables
            .Keys.Where(path => path.StartsWith(prefix, StringComparison.Ordinal))
            .Select(path => path[prefix.Length..].Split('.')[0])
            .Distinct();
}
