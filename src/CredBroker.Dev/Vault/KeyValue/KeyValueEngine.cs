using System.Globalization;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.KeyValue;

/// <summary>A KV engine, version 2: values with versions, read in one call.</summary>
internal sealed class KeyValueEngine : DevVaultEngine
{
    private readonly SortedDictionary<string, KeyValueEntry> _entries = new(StringComparer.Ordinal);

    public override string Type => "kv";

    public override bool? Exists(string path) =>
        path.Split('/', 2) is ["data" or "metadata", var name] && name.Length > 0 ? _entries.ContainsKey(name) : null;

    public override DevVaultReply Handle(DevVaultCall call) =>
        call.Path.Split('/', 2) switch
        {
            ["data", var name] => Data(call, name),
            ["metadata", var name] => Metadata(call, name),
            ["delete", var name] when call.Writes => EachVersion(
                call,
                name,
                version => version with { DeletedAt = call.Now }
            ),
            ["undelete", var name] when call.Writes => EachVersion(
                call,
                name,
                version => version with { DeletedAt = null }
            ),
            ["destroy", var name] when call.Writes => EachVersion(
                call,
                name,
                version => new KeyValueVersion(null, version.CreatedAt)
                {
                    DeletedAt = version.DeletedAt,
                    Destroyed = true,
                }
            ),
            ["config"] when call.Operation == DevVaultOperation.Read => DevVaultReply.Of(
                new JsonObject
                {
                    ["cas_required"] = false,
                    ["delete_version_after"] = "0s",
                    ["max_versions"] = 0,
                    ["metadata_cas_required"] = false,
                }
            ),
            _ => new DevVaultReply
            {
                Status = 404,
                Warnings =
                [
                    "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate "
                        + "API endpoints to use. If using the OpenBao CLI, use 'bao kv get' for this operation.",
                ],
            },
        };

    private DevVaultReply Data(DevVaultCall call, string name)
    {
        if (call.Writes)
        {
            return Write(call, name);
        }

        var entry = _entries.GetValueOrDefault(name);
        if (call.Operation == DevVaultOperation.Delete)
        {
            if (entry?.Versions.Count > 0)
            {
                entry.Versions[entry.Current] = entry.Versions[entry.Current] with { DeletedAt = call.Now };
            }

            return DevVaultReply.NoContent;
        }

        var number =
            call.Request.Query.GetValueOrDefault("version") is { Length: > 0 } text
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var asked)
            && asked > 0
                ? asked
                : entry?.Current ?? 0;
        if (call.Operation != DevVaultOperation.Read || entry?.Versions.GetValueOrDefault(number) is not { } version)
        {
            throw DevVaultRefusal.NoEntry();
        }

        var readable = version is { Destroyed: false, DeletedAt: null };
        return new DevVaultReply
        {
            Status = readable ? 200 : 404,
            Data = new JsonObject
            {
                ["data"] = readable ? version.Values?.DeepClone() : null,
                ["metadata"] = version.ToMetadata(number, entry.Custom),
            },
        };
    }

    private DevVaultReply Write(DevVaultCall call, string name)
    {
        if (name.Length == 0 || name.EndsWith('/'))
        {
            throw new DevVaultRefusal(400, "cannot write to a path ending in '/'");
        }

        var values = call.Fields.Map("data") ?? throw new DevVaultRefusal(400, "no data provided");
        var entry = _entries.GetValueOrDefault(name);
        if (
            call.Fields.Map("options") is { } options
            && new DevVaultFields(options) is var wanted
            && wanted.Has("cas")
            && wanted.Number("cas") != (entry?.Current ?? 0)
        )
        {
            throw new DevVaultRefusal(400, "check-and-set parameter did not match the current version");
        }

        var version = new KeyValueVersion(values, call.Now);
        DevVaultBounds.Check(
            _entries.Values.Sum(stored => stored.Versions.Values.Sum(each => (long)each.Size)) + version.Size,
            DevVaultBounds.SecretCharacters,
            "characters of secrets"
        );
        entry ??= Add(name, call.Now);
        entry.UpdatedAt = call.Now;
        entry.Versions[++entry.Current] = version;
        while (entry.Versions.Count > (entry.MaxVersions > 0 ? entry.MaxVersions : DevVaultBounds.SecretVersions))
        {
            entry.Versions.Remove(entry.Versions.Keys.First());
        }

        return DevVaultReply.Of(entry.Versions[entry.Current].ToMetadata(entry.Current, entry.Custom));
    }

    private DevVaultReply Metadata(DevVaultCall call, string name)
    {
        switch (call.Operation)
        {
            case DevVaultOperation.List:
                return DevVaultReply.Keys(PathListing.Children(_entries.Keys, name));
            case DevVaultOperation.Read:
                return DevVaultReply.Of((_entries.GetValueOrDefault(name) ?? throw DevVaultRefusal.NoEntry()).ToJson());
            case DevVaultOperation.Delete:
                _entries.Remove(name);
                return DevVaultReply.NoContent;
            default:
                var entry = _entries.GetValueOrDefault(name) ?? Add(name, call.Now);
                entry.Custom = call.Fields.Map("custom_metadata") ?? entry.Custom;
                entry.MaxVersions = call.Fields.Has("max_versions")
                    ? Math.Min(call.Fields.Number("max_versions"), DevVaultBounds.SecretVersions)
                    : entry.MaxVersions;
                entry.MetadataVersion++;
                return DevVaultReply.NoContent;
        }
    }

    private DevVaultReply EachVersion(DevVaultCall call, string name, Func<KeyValueVersion, KeyValueVersion> change)
    {
        if (_entries.GetValueOrDefault(name) is { } entry && call.Fields.Body["versions"] is JsonArray versions)
        {
            foreach (
                var number in versions
                    .Select(item => item is JsonValue value && value.TryGetValue(out int asked) ? asked : 0)
                    .Where(entry.Versions.ContainsKey)
            )
            {
                entry.Versions[number] = change(entry.Versions[number]);
            }
        }

        return DevVaultReply.NoContent;
    }

    private KeyValueEntry Add(string name, DateTimeOffset now)
    {
        DevVaultBounds.Check(_entries.Count, DevVaultBounds.Secrets, "secrets");
        return _entries[name] = new KeyValueEntry { CreatedAt = now, UpdatedAt = now };
    }
}
