using System.Globalization;
using System.Text.Json.Nodes;

namespace CredBroker.Server.Dev.VaultApi;

/// <summary>A KV engine, version 2: values with versions, read in one call.</summary>
internal sealed class KeyValueEngine : Engine
{
    private readonly SortedDictionary<string, KeyValueEntry> _entries = new(StringComparer.Ordinal);

    public override string Type => "kv";

    public override bool? Exists(string path) =>
        path.Split('/', 2) is ["data" or "metadata", var name] && name.Length > 0 ? _entries.ContainsKey(name) : null;

    public override VaultReply Handle(VaultCall call) =>
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
            ["config"] when call.Operation == Operation.Read => VaultReply.Of(
                new JsonObject
                {
                    ["cas_required"] = false,
                    ["delete_version_after"] = "0s",
                    ["max_versions"] = 0,
                    ["metadata_cas_required"] = false,
                }
            ),
            _ => new VaultReply
            {
                Status = 404,
                Warnings =
                [
                    "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate "
                        + "API endpoints to use. If using the OpenBao CLI, use 'bao kv get' for this operation.",
                ],
            },
        };

    private VaultReply Data(VaultCall call, string name)
    {
        if (call.Writes)
        {
            return Write(call, name);
        }

        var entry = _entries.GetValueOrDefault(name);
        if (call.Operation == Operation.Delete)
        {
            if (entry?.Versions.Count > 0)
            {
                entry.Versions[entry.Current] = entry.Versions[entry.Current] with { DeletedAt = call.Now };
            }

            return VaultReply.NoContent;
        }

        var number =
            call.Request.Query.GetValueOrDefault("version") is { Length: > 0 } text
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var asked)
            && asked > 0
                ? asked
                : entry?.Current ?? 0;
        if (call.Operation != Operation.Read || entry?.Versions.GetValueOrDefault(number) is not { } version)
        {
            throw VaultRefusal.NoEntry();
        }

        var readable = version is { Destroyed: false, DeletedAt: null };
        return new VaultReply
        {
            Status = readable ? 200 : 404,
            Data = new JsonObject
            {
                ["data"] = readable ? version.Values?.DeepClone() : null,
                ["metadata"] = version.ToMetadata(number, entry.Custom),
            },
        };
    }

    private VaultReply Write(VaultCall call, string name)
    {
        if (name.Length == 0 || name.EndsWith('/'))
        {
            throw new VaultRefusal(400, "cannot write to a path ending in '/'");
        }

        var values = call.Fields.Map("data") ?? throw new VaultRefusal(400, "no data provided");
        var entry = _entries.GetValueOrDefault(name);
        if (
            call.Fields.Map("options") is { } options
            && new VaultFields(options) is var wanted
            && wanted.Has("cas")
            && wanted.Number("cas") != (entry?.Current ?? 0)
        )
        {
            throw new VaultRefusal(400, "check-and-set parameter did not match the current version");
        }

        var version = new KeyValueVersion(values, call.Now);
        Bounds.Check(
            _entries.Values.Sum(stored => stored.Versions.Values.Sum(each => (long)each.Size)) + version.Size,
            Bounds.SecretCharacters,
            "characters of secrets"
        );
        entry ??= Add(name, call.Now);
        entry.UpdatedAt = call.Now;
        entry.Versions[++entry.Current] = version;
        while (entry.Versions.Count > (entry.MaxVersions > 0 ? entry.MaxVersions : Bounds.SecretVersions))
        {
            entry.Versions.Remove(entry.Versions.Keys.First());
        }

        return VaultReply.Of(entry.Versions[entry.Current].ToMetadata(entry.Current, entry.Custom));
    }

    private VaultReply Metadata(VaultCall call, string name)
    {
        switch (call.Operation)
        {
            case Operation.List:
                return VaultReply.Keys(Listing.Children(_entries.Keys, name));
            case Operation.Read:
                return VaultReply.Of((_entries.GetValueOrDefault(name) ?? throw VaultRefusal.NoEntry()).ToJson());
            case Operation.Delete:
                _entries.Remove(name);
                return VaultReply.NoContent;
            default:
                var entry = _entries.GetValueOrDefault(name) ?? Add(name, call.Now);
                entry.Custom = call.Fields.Map("custom_metadata") ?? entry.Custom;
                entry.MaxVersions = call.Fields.Has("max_versions")
                    ? Math.Min(call.Fields.Number("max_versions"), Bounds.SecretVersions)
                    : entry.MaxVersions;
                entry.MetadataVersion++;
                return VaultReply.NoContent;
        }
    }

    private VaultReply EachVersion(VaultCall call, string name, Func<KeyValueVersion, KeyValueVersion> change)
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

        return VaultReply.NoContent;
    }

    private KeyValueEntry Add(string name, DateTimeOffset now)
    {
        Bounds.Check(_entries.Count, Bounds.Secrets, "secrets");
        return _entries[name] = new KeyValueEntry { CreatedAt = now, UpdatedAt = now };
    }
}
