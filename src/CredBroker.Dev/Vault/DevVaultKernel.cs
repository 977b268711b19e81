using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Access;
using CredBroker.Dev.Vault.AppRole;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.KeyValue;
using CredBroker.Dev.Vault.Leases;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Pki;
using CredBroker.Dev.Vault.Sys;
using CredBroker.Dev.Vault.Tokens;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault;

/// <summary>
/// Answers requests, one at a time: what is due ends first, then come the seal, the token, its policies, and the engine
/// that the path belongs to. One lock makes every call atomic; a development server needs no more.
/// </summary>
internal sealed class DevVaultKernel
{
    private const string Version = "2.7.2+devvault";

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly byte[] _unsealKey;
    private readonly string _clusterId = Guid.NewGuid().ToString();
    private readonly DevVaultLeases _leases = new();
    private readonly DevVaultTokens _tokens;
    private readonly DevVaultPolicies _policies;
    private readonly MountTable _mounts;
    private bool _isSealed;

    public DevVaultKernel(TimeProvider time, string rootToken, string unsealKey)
    {
        (_time, _unsealKey) = (time, Encoding.UTF8.GetBytes(unsealKey));
        _tokens = new DevVaultTokens(_leases);
        _policies = new DevVaultPolicies(time.GetUtcNow());
        _mounts = new MountTable(Create);
        _mounts.Add(
            "sys/",
            new SystemEngine(_mounts, _policies, _tokens, _leases),
            "system endpoints used for control, policy and debugging"
        );
        _mounts.Add("auth/token/", new TokenEngine(_tokens, _policies), "token based credentials");
        _mounts.Add(
            "mounts",
            "secret/",
            new DevVaultFields(new JsonObject { ["type"] = "kv-v2", ["description"] = "key/value secret storage" })
        );
        _tokens.Add(
            new DevVaultToken
            {
                Id = rootToken,
                Policies = ["root"],
                Path = "auth/token/create",
                IssuedAt = time.GetUtcNow(),
                Renewable = false,
                CreationTtl = TimeSpan.Zero,
            }
        );
    }

    /// <summary>Seals or unseals, as tests and an operator do.</summary>
    public bool Sealed
    {
        get
        {
            lock (_gate)
            {
                return _isSealed;
            }
        }
        set
        {
            lock (_gate)
            {
                _isSealed = value;
            }
        }
    }

    /// <summary>Answers a request.</summary>
    public DevVaultReply Answer(DevVaultRequest request)
    {
        lock (_gate)
        {
            try
            {
                var now = _time.GetUtcNow();
                return AnswerUnauthenticated(request, now) ?? AnswerUnsealed(request, now);
            }
            catch (DevVaultRefusal refusal)
            {
                return DevVaultReply.Error(refusal.Status, refusal.Errors);
            }
        }
    }

    private DevVaultReply? AnswerUnauthenticated(DevVaultRequest request, DateTimeOffset now)
    {
        var bare = request.Path switch
        {
            "sys/health" => Health(now),
            "sys/seal-status" => SealStatus(),
            "sys/init" => new JsonObject { ["initialized"] = true },
            "sys/leader" => new JsonObject { ["ha_enabled"] = false },
            _ => null,
        };
        if (bare is not null)
        {
            return request.Method is not ("GET" or "HEAD")
                ? DevVaultReply.Error(405, [])
                : new DevVaultReply { Bare = bare, Status = request.Path == "sys/health" && _isSealed ? 503 : 200 };
        }

        if (request.Path != "sys/unseal")
        {
            return null;
        }

        var key = Encoding.UTF8.GetBytes(new DevVaultFields(request.Body).Text("key"));
        if (!request.Writes || !CryptographicOperations.FixedTimeEquals(key, _unsealKey))
        {
            throw new DevVaultRefusal(request.Writes ? 400 : 405, "the unseal key is not this development Vault's");
        }

        _isSealed = false;
        return new DevVaultReply { Bare = SealStatus() };
    }

    private DevVaultReply AnswerUnsealed(DevVaultRequest request, DateTimeOffset now)
    {
        if (_isSealed)
        {
            throw new DevVaultRefusal(503, "Vault is sealed");
        }

        _leases.Expire(now);
        Wrapping.Check(request, _tokens);
        var path = request.Method == "LIST" ? PathListing.Folder(request.Path) : request.Path;
        var mount = _mounts.Find(path);
        var below = mount is { } found ? path[found.Path.Length..] : path;
        var operation = Kind(request, mount?.Engine, below);
        var caller = mount?.Engine.IsOpen(below) is true ? null : Caller(request);
        try
        {
            return Answer(request, now, caller, mount, path, operation);
        }
        finally
        {
            if (caller is { UsesLeft: DevVaultToken.Spent })
            {
                _tokens.Revoke(caller, now);
            }
        }
    }

    private DevVaultReply Answer(
        DevVaultRequest request,
        DateTimeOffset now,
        DevVaultToken? caller,
        (string Path, DevVaultEngine Engine)? mount,
        string path,
        DevVaultOperation operation
    )
    {
        var below = mount is { } found ? path[found.Path.Length..] : path;
        var sudo = caller is not null && Authorize(request, caller, mount?.Engine, path, below, operation);
        var (mountPath, engine) =
            mount ?? throw new DevVaultRefusal(404, $"no handler for route \"{path}\". route entry not found.");
        if (operation == DevVaultOperation.Patch && engine is not KeyValueEngine)
        {
            throw DevVaultRefusal.UnsupportedOperation();
        }

        if (path == "sys/seal" && request.Writes)
        {
            _isSealed = true;
            return DevVaultReply.NoContent;
        }

        var fields = new DevVaultFields(request.Body, !request.Writes || engine.Exists(below) is null);
        var reply = engine.Handle(new DevVaultCall(operation, mountPath, below, fields, request, caller, sudo, now));
        return request.WrapTtl > TimeSpan.Zero && reply is { Status: 200, Raw: null, Bare: null }
            ? Wrapping.Wrap(reply, request, _tokens, now)
            : reply;
    }

    private static DevVaultOperation Kind(DevVaultRequest request, DevVaultEngine? engine, string below) =>
        request.Method switch
        {
            "GET" or "HEAD" => DevVaultOperation.Read,
            "LIST" => DevVaultOperation.List,
            "DELETE" => DevVaultOperation.Delete,
            "PATCH" => DevVaultOperation.Patch,
            "POST" or "PUT" => engine?.Exists(below) is false ? DevVaultOperation.Create : DevVaultOperation.Update,
            _ => throw DevVaultRefusal.UnsupportedOperation(),
        };

    /// <summary>
    /// Whose token it is; takes one of its uses, whatever comes of the call.
    /// </summary>
    private DevVaultToken Caller(DevVaultRequest request)
    {
        var caller = _tokens.Find(request.Token) ?? throw new DevVaultRefusal(403, "permission denied");
        if (caller.Networks.Count > 0 && !DevVaultNetworks.Contain(caller.Networks, request.From))
        {
            throw new DevVaultRefusal(403, "permission denied");
        }

        if (caller.UsesLeft > 0)
        {
            caller.UsesLeft = caller.UsesLeft == 1 ? DevVaultToken.Spent : caller.UsesLeft - 1;
        }

        return caller;
    }

    /// <summary>Refuses what the caller may not do; whether it has <c>sudo</c> here.</summary>
    private bool Authorize(
        DevVaultRequest request,
        DevVaultToken caller,
        DevVaultEngine? engine,
        string path,
        string below,
        DevVaultOperation operation
    )
    {
        if (_policies.On(caller, path, operation == DevVaultOperation.List) is not { } rule)
        {
            return true;
        }

        var needed = operation switch
        {
            DevVaultOperation.Read => Capabilities.Read,
            DevVaultOperation.List => Capabilities.List,
            DevVaultOperation.Create => Capabilities.Create,
            DevVaultOperation.Update => Capabilities.Update,
            DevVaultOperation.Patch => Capabilities.Patch,
            _ => Capabilities.Delete,
        };
        var sudo = rule.Capabilities.HasFlag(Capabilities.Sudo);
        return
            rule.Capabilities.HasFlag(needed)
            && (sudo || engine?.NeedsSudo(below) is not true)
            && (!request.HasBody || rule.Permits(request.Body))
            ? sudo
            : throw DevVaultRefusal.Collected(403, "permission denied");
    }

    private DevVaultEngine? Create(string type, string path) =>
        (type, path.StartsWith("auth/", StringComparison.Ordinal)) switch
        {
            ("kv", false) => new KeyValueEngine(),
            ("pki", false) => new PkiEngine(path, _mounts, _leases),
            ("approle", true) => new AppRoleEngine(_tokens),
            _ => null,
        };

    private JsonObject Health(DateTimeOffset now)
    {
        var health = new JsonObject
        {
            ["initialized"] = true,
            ["sealed"] = _isSealed,
            ["standby"] = _isSealed,
            ["replication_performance_mode"] = _isSealed ? "unknown" : "disabled",
            ["replication_dr_mode"] = _isSealed ? "unknown" : "disabled",
            ["server_time_utc"] = now.ToUnixTimeSeconds(),
            ["version"] = Version,
        };
        return _isSealed ? health : WithCluster(health);
    }

    private JsonObject SealStatus()
    {
        var status = new JsonObject
        {
            ["type"] = "shamir",
            ["initialized"] = true,
            ["sealed"] = _isSealed,
            ["t"] = 1,
            ["n"] = 1,
            ["progress"] = 0,
            ["nonce"] = "",
            ["recovery_seal"] = false,
            ["version"] = Version,
            ["commit_date"] = "",
            ["migration"] = false,
        };
        (_isSealed ? status : WithCluster(status))["storage_type"] = "inmem";
        return status;
    }

    private JsonObject WithCluster(JsonObject body)
    {
        body["cluster_name"] = "devvault";
        body["cluster_id"] = _clusterId;
        return body;
    }
}
