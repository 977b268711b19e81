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
            ["delete", var name] => EachVersion(call, name, "No", version => version with { DeletedAt = call.Now }),
            ["undelete", var name] => EachVersion(call, name, "No", version => version with { DeletedAt = null }),
            ["destroy", var name] => EachVersion(
                call,
                name,
                "no",
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
            ["config"] when call.Operation == DevVaultOperation.Patch => throw DevVaultRefusal.UnsupportedOperation(),
            ["data" or "metadata" or "delete" or "undelete" or "destroy"] => NotFound(
                "Non-listing operations on the root of a K/V v2 mount are not supported."
            ),
            _ => NotFound(
                "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate "
                    + "API endpoints to use. If using the OpenBao CLI, use "
                    + $"'bao kv {(call.Operation == DevVaultOperation.List ? "list" : "get")}' for this operation."
            ),
        };

    private static DevVaultReply NotFound(string warning) => new() { Status = 404, Warnings = [warning] };

    private DevVaultReply Data(DevVaultCall call, string name)
    {
        var entry = _entries.GetValueOrDefault(name);
        if (call.Writes || call.Operation == DevVaultOperation.Patch)
        {
            return Write(call, name, entry);
        }

        if (call.Operation == DevVaultOperation.List)
        {
            throw DevVaultRefusal.UnsupportedOperation();
        }

        if (call.Operation == DevVaultOperation.Delete)
        {
            if (entry?.Versions.Count > 0)
            {
                entry.Versions[entry.Current] = entry.Versions[entry.Current] with { DeletedAt = call.Now };
            }

            return DevVaultReply.NoContent;
        }

        var asked = new DevVaultFields(
            new JsonObject { ["version"] = call.Request.Query.GetValueOrDefault("version") }
        );
        var number = asked.Number("version") is > 0 and var one ? one : entry?.Current ?? 0;
        return entry?.Versions.GetValueOrDefault(number) is { } version
            ? new DevVaultReply
            {
                Status = version.IsReadable ? 200 : 404,
                Data = new JsonObject
                {
                    ["data"] = version.IsReadable ? version.Values?.DeepClone() : null,
                    ["metadata"] = version.ToMetadata(number, entry.Custom),
                },
            }
            : throw DevVaultRefusal.NoEntry();
    }

    private DevVaultReply Write(DevVaultCall call, string name, KeyValueEntry? entry)
    {
        RefuseFolder(name);
        if (!call.Fields.Body.ContainsKey("data"))
        {
            throw new DevVaultRefusal(400, "no data provided");
        }

        var values = call.Fields.Map("data");
        var current = entry?.Versions.GetValueOrDefault(entry.Current);
        if (call.Operation == DevVaultOperation.Patch && current is not { IsReadable: true })
        {
            return new DevVaultReply
            {
                Status = 404,
                Raw = current is null ? [] : null,
                Data = current?.ToMetadata(entry!.Current, entry.Custom),
            };
        }

        if (
            call.Fields.Map("options") is { } options
            && options.ContainsKey("cas")
            && CheckAndSet(options) != (entry?.Current ?? 0)
        )
        {
            throw new DevVaultRefusal(400, "check-and-set parameter did not match the current version");
        }

        if (call.Operation == DevVaultOperation.Patch)
        {
            values = values is null
                ? null
                : MergePatch.Apply(
                    current!.Values ?? throw DevVaultRefusal.Collected(500, "resource does not exist"),
                    values
                );
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
        var entry = _entries.GetValueOrDefault(name);
        switch (call.Operation)
        {
            case DevVaultOperation.List:
                return DevVaultReply.Keys(PathListing.Children(_entries.Keys, name));
            case DevVaultOperation.Read:
                return DevVaultReply.Of((entry ?? throw DevVaultRefusal.NoEntry()).ToJson());
            case DevVaultOperation.Delete:
                _entries.Remove(name);
                return DevVaultReply.NoContent;
            case DevVaultOperation.Patch when entry is null:
                return new DevVaultReply { Status = 404, Raw = [] };
            default:
                RefuseFolder(name);
                KeyValueMetadata.Check(call.Fields);
                KeyValueMetadata.Change(entry ?? Add(name, call.Now), call.Fields, patch: !call.Writes);
                return DevVaultReply.NoContent;
        }
    }

    private DevVaultReply EachVersion(
        DevVaultCall call,
        string name,
        string no,
        Func<KeyValueVersion, KeyValueVersion> change
    )
    {
        if (!call.Writes)
        {
            throw DevVaultRefusal.UnsupportedOperation();
        }

        RefuseFolder(name);
        var versions = call.Fields.Numbers("versions");
        if (versions.Count == 0)
        {
            throw new DevVaultRefusal(400, $"{no} version number provided");
        }

        var entry = _entries.GetValueOrDefault(name);
        foreach (var number in versions.Where(number => entry?.Versions.ContainsKey(number) is true))
        {
            entry!.Versions[number] = change(entry.Versions[number]);
        }

        return DevVaultReply.NoContent;
    }

    private static void RefuseFolder(string name)
    {
        if (name.Length == 0 || name.EndsWith('/'))
        {
            throw new DevVaultRefusal(400, "cannot write to a path ending in '/'");
        }
    }

    /// <summary>Here a null is a zero, not an absent member, and all faults read alike.</summary>
    private static int CheckAndSet(JsonObject options)
    {
        try
        {
            return new DevVaultFields(options).Number("cas");
        }
        catch (DevVaultRefusal)
        {
            throw new DevVaultRefusal(400, "error parsing check-and-set parameter");
        }
    }

    private KeyValueEntry Add(string name, DateTimeOffset now)
    {
        DevVaultBounds.Check(_entries.Count, DevVaultBounds.Secrets, "secrets");
        return _entries[name] = new KeyValueEntry { CreatedAt = now, UpdatedAt = now };
    }
}
