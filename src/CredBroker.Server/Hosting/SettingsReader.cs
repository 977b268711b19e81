namespace CredBroker.Server.Hosting;

/// <summary>
/// Reads the settings section by section and collects every fault instead of stopping at the first. Settings are read
/// once, at start: what changes while the broker runs (policy, keys, bundles, certificates) lies in files of its own.
/// </summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private readonly List<string> _faults = [];
    private readonly Dictionary<string, Type> _sections = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The faults found so far.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>The sections read so far and the types they bind to.</summary>
    public IReadOnlyDictionary<string, Type> Sections => _sections;

    /// <summary>Binds a section and validates it. A section that is absent gives the defaults, validated too.</summary>
    public T Read<T>(string name, Func<T, IEnumerable<string>> validate)
        where T : class, new()
    {
        _sections.Add(name, typeof(T));
        var section = configuration.GetSection(name);
        var shape = SettingsShape.Faults(section, typeof(T)).ToList();
        _faults.AddRange(shape.Select(fault => fault.Fault));

        // What cannot be bound is left out, so that the rest is validated all the same.
        var bindable = new ConfigurationBuilder()
            .AddInMemoryCollection(
                section.AsEnumerable().Where(pair => !shape.Exists(fault => IsWithin(pair.Key, fault.Path)))
            )
            .Build();
        var value = bindable.GetSection(name).Get<T>() ?? new T();
        _faults.AddRange(validate(value));
        return value;
    }

    /// <summary>Checks what concerns two sections together.</summary>
    public void Require(bool holds, string fault)
    {
        if (!holds)
        {
            _faults.Add(fault);
        }
    }

    /// <summary>Reports sections that nothing reads, and throws if anything is wrong.</summary>
    public void ThrowIfFaulty()
    {
        _faults.AddRange(
            configuration
                .GetChildren()
                .Where(s => !_sections.ContainsKey(s.Key))
                .Select(s => SettingsShape.Unknown(s.Path, s.Key, _sections.Keys))
        );
        if (_faults.Count > 0)
        {
            throw new SettingsFaultsException(_faults);
        }
    }

    private static bool IsWithin(string key, string path) =>
        key.StartsWith(path, StringComparison.OrdinalIgnoreCase)
        && (key.Length == path.Length || key[path.Length] == ':');
}
