using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Http;

namespace CredBroker.Dev.Vault.Mounts;

/// <summary>
/// The settings of a role: every member that Vault has, with Vault's default and in the form in which Vault reads it
/// back. The type of the default says how a value is read; a number whose name speaks of time is a duration, a null a list.
/// </summary>
internal sealed class RoleSettings
{
    private readonly DevVaultFields _values;

    private RoleSettings(JsonObject values) => _values = new DevVaultFields(values);

    /// <summary>
    /// Reads settings over their defaults, or over <paramref name="before"/> where the role exists. Members that Vault
    /// does not know are ignored, as Vault does.
    /// </summary>
    public static RoleSettings Read(JsonObject defaults, DevVaultFields fields, RoleSettings? before = null)
    {
        var settings = (before?._values.Body ?? defaults).DeepClone().AsObject();
        foreach (var (name, absent) in defaults)
        {
            if (fields.Has(name))
            {
                settings[name] = Value(name, absent, fields);
            }
        }

        return new RoleSettings(settings);
    }

    /// <summary>
    /// Refuses old names of settings, which Vault still takes: ignoring them would make a role weaker than it was
    /// meant.
    /// </summary>
    public static void RefuseOld(DevVaultFields fields, params ReadOnlySpan<(string Old, string Name)> names)
    {
        foreach (var (old, name) in names)
        {
            if (fields.Has(old))
            {
                throw new DevVaultRefusal(400, $"this development Vault takes \"{name}\", not its old name \"{old}\"");
            }
        }
    }

    /// <summary>Refuses a setting that a development Vault does not enforce, where it would bind somebody.</summary>
    public static void RefuseUnkept(string name, bool binds)
    {
        if (binds)
        {
            throw new DevVaultRefusal(400, $"this development Vault does not keep \"{name}\"");
        }
    }

    public string Text(string name) => _values.Text(name);

    public bool Flag(string name) => _values.Flag(name);

    public int Number(string name) => _values.Count(name);

    public TimeSpan Duration(string name) => _values.Duration(name);

    public IReadOnlyList<string> List(string name) => _values.List(name);

    /// <summary>The settings as they are read back.</summary>
    public JsonObject ToJson() => _values.Body.DeepClone().AsObject();

    private static JsonNode? Value(string name, JsonNode? absent, DevVaultFields fields) =>
        absent?.GetValueKind() switch
        {
            JsonValueKind.True or JsonValueKind.False => fields.Flag(name),
            JsonValueKind.Number => IsTime(name) ? (long)fields.Duration(name).TotalSeconds : fields.Count(name),
            JsonValueKind.Array or null => new JsonArray([.. fields.List(name).Select(item => JsonValue.Create(item))]),
            _ => fields.Text(name),
        };

    private static bool IsTime(string name) =>
        name.EndsWith("ttl", StringComparison.Ordinal)
        || name.EndsWith("period", StringComparison.Ordinal)
        || name.EndsWith("duration", StringComparison.Ordinal);
}
