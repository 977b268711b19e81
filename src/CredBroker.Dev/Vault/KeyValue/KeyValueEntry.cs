using System.Globalization;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.KeyValue;

/// <summary>A path of a KV engine with its versions.</summary>
internal sealed class KeyValueEntry
{
    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public SortedDictionary<int, KeyValueVersion> Versions { get; } = [];

    public int Current { get; set; }

    public int MaxVersions { get; set; }

    public int MetadataVersion { get; set; }

    public JsonObject? Custom { get; set; }

    public JsonObject ToJson()
    {
        var versions = new JsonObject();
        foreach (var (number, version) in Versions)
        {
            versions[number.ToString(CultureInfo.InvariantCulture)] = version.ToJson();
        }

        return new JsonObject
        {
            ["cas_required"] = false,
            ["created_time"] = DevVaultDuration.ToText(CreatedAt),
            ["current_metadata_version"] = MetadataVersion,
            ["current_version"] = Current,
            ["custom_metadata"] = Custom?.DeepClone(),
            ["delete_version_after"] = "0s",
            ["max_versions"] = MaxVersions,
            ["metadata_cas_required"] = false,
            ["oldest_version"] = Versions.Count > 0 && Versions.Keys.First() > 1 ? Versions.Keys.First() : 0,
            ["updated_time"] = DevVaultDuration.ToText(UpdatedAt),
            ["versions"] = versions,
        };
    }
}

/// <summary>One version of a value.</summary>
internal sealed record KeyValueVersion(JsonObject? Values, DateTimeOffset CreatedAt)
{
    /// <summary>How much it holds, in characters of JSON.</summary>
    public int Size { get; } = Values?.ToJsonString().Length ?? 0;

    public DateTimeOffset? DeletedAt { get; init; }

    public bool Destroyed { get; init; }

    /// <summary>Whether its values are given out.</summary>
    public bool IsReadable => this is { Destroyed: false, DeletedAt: null };

    public JsonObject ToMetadata(int number, JsonObject? custom)
    {
        var metadata = ToJson();
        metadata["custom_metadata"] = custom?.DeepClone();
        metadata["version"] = number;
        return metadata;
    }

    public JsonObject ToJson() =>
        new()
        {
            ["created_time"] = DevVaultDuration.ToText(CreatedAt),
            ["deletion_time"] = DeletedAt is { } deleted ? DevVaultDuration.ToText(deleted) : "",
            ["destroyed"] = Destroyed,
        };
}
