using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.KeyValue;

/// <summary>What is set of a KV path beside its values.</summary>
internal static class KeyValueMetadata
{
    private const string Custom = "custom_metadata";
    private const string Most = "max_versions";

    private static readonly string[] Unkept = ["cas_required", "metadata_cas_required", "delete_version_after"];

    /// <summary>Refuses what is no setting, and the settings that DevVault does not keep.</summary>
    public static void Check(DevVaultFields fields)
    {
        foreach (var name in Unkept)
        {
            if (name == "delete_version_after" ? fields.Duration(name) > TimeSpan.Zero : fields.Flag(name))
            {
                throw new DevVaultRefusal(400, $"this development Vault does not keep \"{name}\"");
            }
        }

        if (fields.Number(Most) > DevVaultBounds.SecretVersions)
        {
            throw new DevVaultRefusal(
                400,
                $"this development Vault keeps at most {DevVaultBounds.SecretVersions} versions of a secret"
            );
        }

        foreach (var (_, value) in fields.Map(Custom) ?? [])
        {
            if (value is JsonArray or JsonObject)
            {
                throw new DevVaultRefusal(
                    400,
                    $"{Custom} validation failed: '' expected type 'string', got unconvertible type "
                        + (value is JsonArray ? "'[]interface {}'" : "'map[string]interface {}'")
                );
            }
        }
    }

    /// <summary>
    /// Sets what is named. In a patch a null unsets, custom metadata is merged and its values must be texts; else it
    /// replaces, and other values become texts.
    /// </summary>
    public static void Change(KeyValueEntry entry, DevVaultFields fields, bool patch)
    {
        if (fields.Has(Most) || (patch && fields.Body.ContainsKey(Most)))
        {
            entry.MaxVersions = Math.Max(fields.Number(Most), 0);
        }

        var given = fields.Map(Custom);
        if (given is not null || (patch && fields.Body.ContainsKey(Custom)))
        {
            var custom = (patch, given) switch
            {
                (_, null) => [],
                (true, _) => MergePatch.Apply(entry.Custom ?? [], Texts(given)),
                _ => new DevVaultFields(fields.Body).Pairs(Custom)!,
            };
            entry.Custom = custom.Count == 0 ? null : custom;
        }

        if (fields.Body.Any(member => member.Key is Custom or Most || Unkept.Contains(member.Key)))
        {
            entry.MetadataVersion++;
        }
    }

    private static JsonObject Texts(JsonObject custom) =>
        custom.FirstOrDefault(member => member.Value is { } value && value.GetValueKind() != JsonValueKind.String).Key
            is { } name
            ? throw DevVaultRefusal.Collected(500, $"json: {Custom}.{name} is of another type than string")
            : custom;
}
