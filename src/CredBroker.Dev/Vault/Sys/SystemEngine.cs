using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Access;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Leases;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Tokens;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Sys;

/// <summary>
/// <c>sys/</c>: mounts, policies, capabilities, audited headers, leases, wrapping. Health and seal are served before a
/// token is looked at.
/// </summary>
internal sealed class SystemEngine(
    MountTable mounts,
    DevVaultPolicies policies,
    DevVaultTokens tokens,
    DevVaultLeases leases
) : DevVaultEngine
{
    private const string MountsShown = "internal/ui/mounts";

    private readonly LeaseCalls _leaseCalls = new(leases);
    private readonly Wrapping _wrapping = new(tokens);
    private readonly SortedDictionary<string, bool> _auditedHeaders = new(StringComparer.OrdinalIgnoreCase);

    public override string Type => "system";

    /// <summary>What a client asks before it knows what it may do; answered by the token, not by a policy on the path.</summary>
    public override bool IsOpen(string path) =>
        path is "wrapping/lookup" or MountsShown || Starts(path, MountsShown + "/");

    public override bool NeedsSudo(string path) =>
        path is "seal"
        || Starts(path, "auth/")
        || Starts(path, "leases/lookup/")
        || Starts(path, "leases/revoke-prefix/")
        || Starts(path, "leases/revoke-force/")
        || Starts(path, "config/auditing/");

    public override DevVaultReply Handle(DevVaultCall call)
    {
        if (call.Path is "mounts" or "auth")
        {
            return call.Operation == DevVaultOperation.Read
                ? new DevVaultReply { Data = mounts.ToJson(call.Path), AlsoAtTop = true }
                : throw DevVaultRefusal.UnsupportedOperation();
        }

        if (call.Below("mounts/", out var mount) || call.Below("auth/", out mount))
        {
            return Mount(call, call.Path.StartsWith("auth/", StringComparison.Ordinal) ? "auth" : "mounts", mount);
        }

        if (call.Path == MountsShown || Starts(call.Path, MountsShown + "/"))
        {
            return Shown(call);
        }

        if (call.Below("policies/acl/", out var name))
        {
            return Policy(call, name);
        }

        if (call.Below("config/auditing/request-headers", out _) || call.Path == "config/auditing/request-headers")
        {
            return AuditedHeaders(call);
        }

        return call.Path switch
        {
            "policies/acl/" when call.Operation == DevVaultOperation.List => DevVaultReply.Keys(policies.Names),
            "capabilities-self" when call.Writes => CapabilitiesOf(call, call.RequiredCaller),
            "capabilities" when call.Writes => CapabilitiesOf(
                call,
                tokens.Find(call.Fields.Text("token")) ?? throw new DevVaultRefusal(400, "invalid token")
            ),
            _ => _leaseCalls.Handle(call) ?? _wrapping.Handle(call) ?? throw DevVaultRefusal.UnsupportedPath(),
        };
    }

    private DevVaultReply Mount(DevVaultCall call, string table, string path)
    {
        if (path.EndsWith("/tune", StringComparison.Ordinal))
        {
            return call.Writes
                ? mounts.Tune(table, path[..^"tune".Length], call.Fields)
                : mounts.Tuning(table, path[..^"tune".Length]);
        }

        return call.Operation switch
        {
            DevVaultOperation.Read => mounts.Read(table, PathListing.Folder(path)),
            DevVaultOperation.Delete => mounts.Remove(table, PathListing.Folder(path), leases, call.Now),
            DevVaultOperation.Create or DevVaultOperation.Update => mounts.Add(
                table,
                PathListing.Folder(path),
                call.Fields
            ),
            _ => throw DevVaultRefusal.UnsupportedOperation(),
        };
    }

    /// <summary>
    /// Which mounts a token can reach, all or one by a path below it: <c>bao kv</c> asks so which version an engine has.
    /// </summary>
    private DevVaultReply Shown(DevVaultCall call)
    {
        if (call.Path == MountsShown + "/" || call.Operation != DevVaultOperation.Read)
        {
            throw call.Path.EndsWith('/')
                ? new DevVaultRefusal(404, "unsupported path")
                : new DevVaultRefusal(405, "unsupported operation");
        }

        var token = tokens.Find(call.Request.Token);
        if (call.Path == MountsShown && call.Request.Token.Length == 0)
        {
            return DevVaultReply.Of(new JsonObject { ["auth"] = new JsonObject(), ["secret"] = new JsonObject() });
        }

        if (token is null)
        {
            throw new DevVaultRefusal(403, "permission denied");
        }

        if (!call.Below(MountsShown + "/", out var below))
        {
            return DevVaultReply.Of(
                new JsonObject
                {
                    ["auth"] = mounts.ToJson("auth", path => policies.Reach(token, path)),
                    ["secret"] = mounts.ToJson("mounts", path => policies.Reach(token, path)),
                }
            );
        }

        return mounts.Shown(below) is var (path, mount) && policies.Reach(token, path)
            ? DevVaultReply.Of(mount)
            : throw new DevVaultRefusal(
                403,
                "preflight capability check returned 403, please ensure client's policies grant access to path "
                    + $"\"{PathListing.Folder(below)}\""
            );
    }

    private DevVaultReply Policy(DevVaultCall call, string name)
    {
        switch (call.Operation)
        {
            case DevVaultOperation.Read:
                return DevVaultReply.Of((policies.Find(name) ?? throw DevVaultRefusal.NoEntry()).ToJson());
            case DevVaultOperation.Delete:
                policies.Remove(name);
                return DevVaultReply.NoContent;
            case DevVaultOperation.Create or DevVaultOperation.Update:
                policies.Put(
                    name,
                    call.Fields.Text("policy") is { Length: > 0 } text
                        ? text
                        : throw new DevVaultRefusal(400, "'policy' parameter not supplied or empty"),
                    call.Now
                );
                return DevVaultReply.NoContent;
            default:
                throw DevVaultRefusal.UnsupportedOperation();
        }
    }

    private DevVaultReply CapabilitiesOf(DevVaultCall call, DevVaultToken token)
    {
        var data = new JsonObject();
        foreach (var path in call.Fields.List("paths").Concat(call.Fields.List("path")).DefaultIfEmpty(""))
        {
            data[path.Length > 0 ? path : throw new DevVaultRefusal(400, "paths must be supplied")] = new JsonArray([
                .. Names(policies.On(token, path)?.Capabilities).Select(name => JsonValue.Create(name)),
            ]);
        }

        if (data.Count == 1)
        {
            data["capabilities"] = data.First().Value!.DeepClone();
        }

        return new DevVaultReply { Data = data, AlsoAtTop = true };
    }

    private static IEnumerable<string> Names(Capabilities? granted) =>
        granted switch
        {
            null => ["root"],
            Capabilities.None => ["deny"],
            _ => Enum.GetValues<Capabilities>()
                .Where(one => one != Capabilities.None && granted.Value.HasFlag(one))
                .Select(one => one.ToString().ToLowerInvariant())
                .Order(StringComparer.Ordinal),
        };

    /// <summary>DevVault writes no audit log; it keeps the setting, so that what sets it up can be tried.</summary>
    private DevVaultReply AuditedHeaders(DevVaultCall call)
    {
        var name = call.Path["config/auditing/request-headers".Length..].Trim('/');
        if (call.Operation == DevVaultOperation.Read)
        {
            var all = new JsonObject();
            foreach (
                var (header, hmac) in _auditedHeaders.Where(header =>
                    name.Length == 0 || string.Equals(header.Key, name, StringComparison.OrdinalIgnoreCase)
                )
            )
            {
                all[header] = new JsonObject { ["hmac"] = hmac };
            }

            return name.Length > 0 && all.Count == 0
                ? throw new DevVaultRefusal(400, "Could not find header in config")
                : new DevVaultReply
                {
                    Data = name.Length > 0 ? all : new JsonObject { ["headers"] = all },
                    AlsoAtTop = true,
                };
        }

        DevVaultBounds.Check(_auditedHeaders.Count, DevVaultBounds.Mounts, "audited headers");
        if (call.Operation == DevVaultOperation.Delete)
        {
            _auditedHeaders.Remove(name);
        }
        else if (name.Length > 0)
        {
            _auditedHeaders[name] = call.Fields.Flag("hmac");
        }

        return DevVaultReply.NoContent;
    }

    private static bool Starts(string path, string prefix) => path.StartsWith(prefix, StringComparison.Ordinal);
}
