using System.Security.Cryptography;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.AppRole;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.KeyValue;
using CredBroker.Dev.Vault.Leases;
using CredBroker.Dev.Vault.Pki;
using CredBroker.Dev.Vault.Sys;
using CredBroker.Dev.Vault.Tokens;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Mounts;

/// <summary>Which engine answers which path.</summary>
/// <param name="create">Makes an engine of a type for a whole mount path; null for a type that DevVault lacks.</param>
internal sealed class MountTable(Func<string, string, DevVaultEngine?> create)
{
    private readonly SortedDictionary<string, Mount> _mounts = new(StringComparer.Ordinal);

    /// <summary>Mounts what is always there.</summary>
    public void Add(string path, DevVaultEngine engine, string description) =>
        _mounts.Add(path, new Mount(engine, description));

    /// <summary>The engine that a path belongs to, and its mount path.</summary>
    public (string Path, DevVaultEngine Engine)? Find(string path)
    {
        for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
        {
            if (_mounts.TryGetValue(path[..(slash + 1)], out var mount))
            {
                return (path[..(slash + 1)], mount.Engine);
            }
        }

        return null;
    }

    /// <summary>The longest life that a mount's leases may have.</summary>
    public TimeSpan MaximumTtl(string path) =>
        _mounts.GetValueOrDefault(path)?.MaximumTtl is { } maximum && maximum > TimeSpan.Zero
            ? maximum
            : DevVaultDuration.SystemMaximum;

    public DevVaultReply Add(string table, string path, DevVaultFields fields)
    {
        DevVaultBounds.Check(_mounts.Count, DevVaultBounds.Mounts, "mounts");
        var (full, type) = (Full(table, path), fields.Text("type"));
        if (type.Length == 0)
        {
            throw new DevVaultRefusal(400, "backend type must be specified as a string");
        }

        if (
            _mounts.Keys.Any(taken =>
                taken.StartsWith(full, StringComparison.Ordinal) || full.StartsWith(taken, StringComparison.Ordinal)
            )
        )
        {
            throw new DevVaultRefusal(400, $"path is already in use at {path}");
        }

        var options = fields.Pairs("options");
        if (type is "kv" && (options is null || new DevVaultFields(options).Text("version") != "2"))
        {
            throw new DevVaultRefusal(
                400,
                "this development Vault has the KV engine of version 2 only: options.version must be \"2\""
            );
        }

        var engine =
            create(type == "kv-v2" ? "kv" : type, full)
            ?? throw new DevVaultRefusal(400, $"plugin not found in the catalog: {type}");
        _mounts[full] = new Mount(engine, fields.Text("description"))
        {
            MaximumTtl = fields.Map("config") is { } config
                ? new DevVaultFields(config).DurationText("max_lease_ttl")
                : TimeSpan.Zero,
            Options = type == "kv-v2" ? new JsonObject { ["version"] = "2" } : options ?? [],
        };
        return DevVaultReply.NoContent;
    }

    public DevVaultReply Read(string table, string path) =>
        _mounts.TryGetValue(Full(table, path), out var mount)
            ? new DevVaultReply { Data = mount.ToJson(), AlsoAtTop = true }
            : throw new DevVaultRefusal(400, $"No {(table == "auth" ? "auth" : "secret")} engine mount at {path}");

    public DevVaultReply Remove(string table, string path, DevVaultLeases leases, DateTimeOffset now)
    {
        if (_mounts.TryGetValue(Full(table, path), out var mount))
        {
            if (mount.Engine is SystemEngine or TokenEngine)
            {
                throw new DevVaultRefusal(400, $"cannot unmount {path}");
            }

            leases.EndBelow(Full(table, path), now);
            _mounts.Remove(Full(table, path));
        }

        return DevVaultReply.NoContent;
    }

    public DevVaultReply Tune(string table, string path, DevVaultFields fields)
    {
        var mount = Tunable(table, path);
        mount.MaximumTtl = fields.Has("max_lease_ttl") ? fields.DurationText("max_lease_ttl") : mount.MaximumTtl;
        mount.Description = fields.Has("description") ? fields.Text("description") : mount.Description;
        return DevVaultReply.NoContent;
    }

    public DevVaultReply Tuning(string table, string path)
    {
        var mount = Tunable(table, path);
        return new DevVaultReply
        {
            AlsoAtTop = true,
            Data = new JsonObject
            {
                ["default_lease_ttl"] = (long)DevVaultDuration.SystemMaximum.TotalSeconds,
                ["description"] = mount.Description,
                ["force_no_cache"] = false,
                ["max_lease_ttl"] = (long)MaximumTtl(Full(table, path)).TotalSeconds,
            },
        };
    }

    /// <summary>As <c>sys/mounts</c> and <c>sys/auth</c> show it; <paramref name="shown"/> leaves mounts out.</summary>
    public JsonObject ToJson(string table, Func<string, bool>? shown = null)
    {
        var all = new JsonObject();
        foreach (
            var (path, mount) in _mounts.Where(mount =>
                mount.Key.StartsWith("auth/", StringComparison.Ordinal) == (table == "auth")
                && shown?.Invoke(mount.Key) is not false
            )
        )
        {
            all[table == "auth" ? path["auth/".Length..] : path] = mount.ToJson();
        }

        return all;
    }

    /// <summary>
    /// The mount that a path belongs to, as <c>sys/internal/ui/mounts</c> shows it: with its path in its own table; null
    /// where there is none.
    /// </summary>
    public (string Path, JsonObject Mount)? Shown(string path)
    {
        if (Find(PathListing.Folder(path)) is not { } found)
        {
            return null;
        }

        var mount = _mounts[found.Path].ToJson();
        mount["path"] = found.Path.StartsWith("auth/", StringComparison.Ordinal)
            ? found.Path["auth/".Length..]
            : found.Path;
        return (found.Path, mount);
    }

    private Mount Tunable(string table, string path) =>
        _mounts.GetValueOrDefault(Full(table, path))
        ?? throw new DevVaultRefusal(400, $"cannot fetch sysview for path \"{path}\"");

    private static string Full(string table, string path) => table == "auth" ? $"auth/{path}" : path;

    private sealed class Mount(DevVaultEngine engine, string description)
    {
        private readonly string _accessor = $"{engine.Type}_{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        private readonly string _id = Guid.NewGuid().ToString();

        public DevVaultEngine Engine { get; } = engine;

        public string Description { get; set; } = description;

        public TimeSpan MaximumTtl { get; set; }

        public JsonObject? Options { get; init; }

        public JsonObject ToJson()
        {
            var config = new JsonObject
            {
                ["default_lease_ttl"] = 0,
                ["force_no_cache"] = false,
                ["max_lease_ttl"] = (long)MaximumTtl.TotalSeconds,
            };
            var mount = new JsonObject
            {
                ["accessor"] = _accessor,
                ["config"] = config,
                ["description"] = Description,
                ["external_entropy_access"] = false,
                ["local"] = false,
                ["options"] = Options?.DeepClone(),
                ["plugin_version"] = "",
                ["running_plugin_version"] = "2.7.2+devvault",
                ["running_sha256"] = "",
                ["seal_wrap"] = Engine is SystemEngine,
                ["type"] = Engine.Type,
                ["uuid"] = _id,
            };
            if (Engine is KeyValueEngine or PkiEngine)
            {
                mount["deprecation_status"] = "supported";
            }

            if (Engine is TokenEngine or AppRoleEngine)
            {
                config["token_type"] = Engine is TokenEngine ? "default-service" : "default";
            }

            if (Engine is SystemEngine)
            {
                config["passthrough_request_headers"] = new JsonArray("Accept");
            }

            return mount;
        }
    }
}
