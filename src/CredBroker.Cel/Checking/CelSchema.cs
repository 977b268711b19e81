using CredBroker.Cel.Values;

namespace CredBroker.Cel.Checking;

/// <summary>
/// The names that a condition may read: dotted paths with their types. The part before a path's last dot is no value by
/// itself.
/// </summary>
internal sealed class CelSchema
{
    private readonly Dictionary<string, CelVariable> _variables = new(StringComparer.Ordinal);

    public CelSchema(params IEnumerable<(string Path, CelType Type)> paths)
    {
        foreach (var (path, type) in paths)
        {
            _variables.Add(path, new(path, _variables.Count, type));
        }
    }

    public CelVariable? Find(string path) => _variables.GetValueOrDefault(path);

    /// <summary>Whether paths begin with this name.</summary>
    public bool IsRoot(string name) =>
        _variables.Keys.Any(path => path.StartsWith(name + ".", StringComparison.Ordinal));

    /// <summary>
    /// What may follow the prefix: the next parts of the paths that begin with it; all first parts for an empty prefix.
    /// </summary>
    public IEnumerable<string> NamesAfter(string prefix) =>
        _variables
            .Keys.Where(path => path.StartsWith(prefix, StringComparison.Ordinal))
            .Select(path => path[prefix.Length..].Split('.')[0])
            .Distinct();
}

/// <summary>A declared path.</summary>
/// <param name="Path">As conditions write it.</param>
/// <param name="Slot">Its number, by which the frame reads it: its place in the schema.</param>
/// <param name="Type">Its type.</param>
internal sealed record CelVariable(string Path, int Slot, CelType Type);
