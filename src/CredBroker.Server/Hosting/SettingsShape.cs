using System.Collections;
using System.Collections.Frozen;
using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using CredBroker.Cel;

namespace CredBroker.Server.Hosting;

/// <summary>
/// Compares a part of the settings with the type that it binds to. The configuration binder ignores what it does not
/// know; a mistyped security setting must not be ignored.
/// </summary>
internal static class SettingsShape
{
    // Settings that once were, and what to write now.
    private static readonly FrozenDictionary<string, string> Moved = new Dictionary<string, string>
    {
        ["Listen:Url"] = "Listen:Agents:Url",
        ["Listen:CertificateFile"] = "Listen:Agents:CertificateFile",
        ["Listen:KeyFile"] = "Listen:Agents:KeyFile",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Every key that the type does not know and every value that it cannot take.</summary>
    public static IEnumerable<(string Path, string Fault)> Faults(IConfigurationSection section, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        var children = section.GetChildren().ToList();
        if (IsScalar(type))
        {
            return children.Count > 0
                ? [(section.Path, $"{section.Path} has parts; write {Wanted(type)}.")]
                : ScalarFaults(section, type);
        }

        var element = ElementType(type);
        if (children.Count == 0)
        {
            // An empty text is how an empty list or object looks here.
            return string.IsNullOrEmpty(section.Value)
                ? []
                :
                [
                    (
                        section.Path,
                        $"{section.Path} is a single value; "
                            + $"write {(element is null ? "an object" : "a list or object")}."
                    ),
                ];
        }

        return element is null
            ? children.SelectMany(child =>
                Find(type, child.Key) switch
                {
                    null => [(child.Path, Unknown(child.Path, child.Key, Properties(type).Select(p => p.Name)))],
                    { } property when IsEmptyPart(child, property) =>
                    [
                        (
                            child.Path,
                            $"{child.Path} holds nothing, and would be taken as not set: leave it out, or write its settings: "
                                + $"{string.Join(", ", Properties(property.PropertyType).Select(p => p.Name))}."
                        ),
                    ],
                    { } property when IsNull(child) && !MayBeNull(property) => NullFaults(child, property.PropertyType),
                    { } property => Faults(child, property.PropertyType),
                }
            )
            : children.SelectMany(child =>
                (IsDictionary(type) || child.Key.All(char.IsAsciiDigit), IsNull(child)) switch
                {
                    (true, true) =>
                    [
                        (child.Path, $"{child.Path} holds nothing: write {Wanted(element)}, or take it out."),
                    ],
                    (true, false) => Faults(child, element),
                    _ => [(child.Path, $"{child.Path} is not known; {section.Path} is a list.")],
                }
            );
    }

    /// <summary>
    /// Whether it is there and is null, as <c>null</c> in the file. An empty object looks the same; an empty list and an
    /// empty text do not.
    /// </summary>
    private static bool IsNull(IConfigurationSection section) => section.Value is null && !section.GetChildren().Any();

    private static bool MayBeNull(PropertyInfo property) =>
        new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;

    /// <summary>
    /// Null where the type takes none: the binder would put it there all the same. An object that is empty has its
    /// defaults, and is no fault.
    /// </summary>
    private static (string Path, string Fault)[] NullFaults(IConfigurationSection section, Type type) =>
        IsScalar(type) || ElementType(type) is not null
            ? [(section.Path, $"{section.Path} is null; write {Wanted(type)}, or leave it out.")]
            : [];

    /// <summary>
    /// Whether a part that may be left out is there and holds nothing. The binder does not tell that from one that is left
    /// out, and there the two may mean opposites: an address for people alone, or none.
    /// </summary>
    private static bool IsEmptyPart(IConfigurationSection section, PropertyInfo property) =>
        !IsScalar(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType)
        && ElementType(property.PropertyType) is null
        && MayBeNull(property)
        && !section.GetChildren().Any()
        && string.IsNullOrEmpty(section.Value);

    /// <summary>The fault of a key that is not known, with the nearest that is.</summary>
    public static string Unknown(string path, string key, IEnumerable<string> known)
    {
        if (Moved.TryGetValue(path, out var successor))
        {
            return $"{path} is no longer a setting; write {successor}. It serves people too, unless Listen:People gives them an address of their own.";
        }

        var names = known.ToList();
        var nearest = names
            .Select(name => (name, distance: NearestName.Distance(name.ToUpperInvariant(), key.ToUpperInvariant())))
            .Where(n => n.distance <= 3)
            .OrderBy(n => n.distance)
            .Select(n => n.name)
            .FirstOrDefault();
        return nearest is not null
            ? $"{path} is not a setting; did you mean {nearest}?"
            : $"{path} is not a setting; known here: {string.Join(", ", names)}.";
    }

    /// <summary>
    /// Every scalar setting of a type as a path; <c>*</c> stands for an element of a list or dictionary.
    /// </summary>
    public static IEnumerable<string> Paths(Type type, string prefix)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (IsScalar(type))
        {
            return [prefix];
        }

        return ElementType(type) is { } element
            ? Paths(element, prefix + ":*")
            : Properties(type).SelectMany(p => Paths(p.PropertyType, $"{prefix}:{p.Name}"));
    }

    private static IEnumerable<(string Path, string Fault)> ScalarFaults(IConfigurationSection section, Type type) =>
        type == typeof(string) || section.Value is not { } value || CanConvert(value, type)
            ? []
            : [(section.Path, $"{section.Path} is \"{value}\"; write {Wanted(type)}.")];

    private static bool CanConvert(string value, Type type)
    {
        try
        {
            return type.IsEnum
                ? Enum.GetNames(type).Contains(value, StringComparer.OrdinalIgnoreCase)
                : TypeDescriptor.GetConverter(type).ConvertFromString(null, CultureInfo.InvariantCulture, value)
                    is { } converted
                    && !(converted is TimeSpan time && IsDaysByMistake(value, time));
        }
        catch (Exception e)
            when (e is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            return false;
        }
    }

    /// <summary>
    /// .NET reads "24:00:00" as 24 days, because there is no such hour: nobody who writes it means that.
    /// </summary>
    private static bool IsDaysByMistake(string value, TimeSpan time) =>
        time.Days > 0 && !value.Contains('.', StringComparison.Ordinal);

    private static string Wanted(Type type) =>
        type switch
        {
            { IsEnum: true } => $"one of {string.Join(", ", Enum.GetNames(type))}",
            _ when type == typeof(TimeSpan) =>
                "a time as hours:minutes:seconds, such as \"00:00:30\", or days.hours:minutes:seconds",
            _ when type == typeof(bool) => "true or false",
            _ when type == typeof(Uri) => "an address",
            _ when type == typeof(string) => "text",
            _ when IsDictionary(type) => "an object",
            _ when ElementType(type) is not null => "a list",
            _ when !IsScalar(type) => "its settings",
            _ => "a number",
        };

    private static bool IsScalar(Type type) =>
        type.IsPrimitive || type.IsEnum || type == typeof(string) || type == typeof(TimeSpan) || type == typeof(Uri);

    private static bool IsDictionary(Type type) =>
        Generic(type, typeof(IReadOnlyDictionary<,>)) is not null || Generic(type, typeof(IDictionary<,>)) is not null;

    private static Type? ElementType(Type type) =>
        (Generic(type, typeof(IReadOnlyDictionary<,>)) ?? Generic(type, typeof(IDictionary<,>)))?.GetGenericArguments()[
            1
        ]
        ?? (
            typeof(IEnumerable).IsAssignableFrom(type)
                ? Generic(type, typeof(IEnumerable<>))?.GetGenericArguments()[0]
                : null
        );

    private static Type? Generic(Type type, Type definition) =>
        type.GetInterfaces()
            .Prepend(type)
            .FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == definition);

    private static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.SetMethod is not null);

    private static PropertyInfo? Find(Type type, string key) =>
        Properties(type).FirstOrDefault(p => p.Name.Equals(key, StringComparison.OrdinalIgnoreCase));
}
