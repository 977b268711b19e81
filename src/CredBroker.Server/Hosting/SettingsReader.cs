namespace CredBroker.Server.Hosting;

/// <summary>
/// Reads the settings section by section and collects every fault instead of stopping at the first. Settings are read once, at start:
/// what changes while the broker runs (policy, keys, bundles, certificates) lies in files of its own.
/// </summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private readonly List<string> faults = [];
    private readonly Dictionary<string, Type> sections = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The faults found so far.</summary>
    public IReadOnlyList<string> Faults => faults;

    /// <summary>The sections read so far and the types they bind to.</summary>
    public IReadOnlyDictionary<string, Type> Sections => sections;

    /// <summary>Binds a section and validates it. A section that is absent gives the defaults, validated too.</summary>
    public T Read<T>(string name, Func<T, IEnumerable<string>> validate)
        where T : class, new()
    {
        sections.Add(name, typeof(T));
        var section = configuration.GetSection(name);
        var shape = SettingsShape.Faults(section, typeof(T)).ToList();
        faults.AddRange(shape);
        try
        {
            var value = section.Get<T>() ?? new T();
            faults.AddRange(validate(value).Where(fault => !faults.Contains(fault)));
            return value;
        }
        catch (InvalidOperationException) when (shape.Count > 0)
        {
            // The binder stops at the first value that it cannot convert; the shape has already named them all.
            return new T();
        }
    }

    /// <summary>Adds a fault that concerns no single section.</summary>
    public void Refuse(string fault) => faults.Add(fault);

    /// <summary>Reports sections that nothing reads, and throws if anything is wrong.</summary>
    public void ThrowIfFaulty()
    {
        faults.AddRange(configuration.GetChildren().Where(s => !sections.ContainsKey(s.Key)).Select(s => SettingsShape.Unknown(s.Path, s.Key, sections.Keys)));
        if (faults.Count > 0)
        {
            throw new SettingsFaultsException(faults);
        }
    }
}
