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
        var path = request.Method == "LIST" ? PathListing.Folder(request.Path) : request.Path;
        var mount = _mounts.Find(path);
        var below = mount is { } found ? path[found.Path.Length..] : path;
        var operation = Kind(request, mount?.Engine, below);
        var (caller, sudo) = mount?.Engine.IsOpen(below) is true
            ? (null, false)
            : Authorize(request, mount?.Engine, path, below, operation);
        var (mountPath, engine) =
            mount ?? throw new DevVaultRefusal(404, $"no handler for route \"{path}\". route entry not found.");
        if (path == "sys/seal" && request.Writes)
        {
            _isSealed = true;
            return DevVaultReply.NoContent;
        }

        var reply = engine.Handle(
            new DevVaultCall(operation, mountPath, below, new DevVaultFields(request.Body), request, caller, sudo, now)
        );
        if (caller is { UsesLeft: > 0 } && --caller.UsesLeft == 0)
        {
            _tokens.Revoke(caller, now);
        }

        return request.WrapTtl.Length > 0 && reply is { Status: 200, Raw: null, Bare: null }
            ? Wrapping.Wrap(reply, request, _tokens, now)
            : reply;
    }

    private static DevVaultOperation Kind(DevVaultRequest request, DevVaultEngine? engine, string below) =>
        request.Method switch
        {
            "GET" or "HEAD" => DevVaultOperation.Read,
            "LIST" => DevVaultOperation.List,
            "DELETE" => DevVaultOperation.Delete,
            "POST" or "PUT" => engine?.Exists(below) is false ? DevVaultOperation.Create : DevVaultOperation.Update,
            _ => throw DevVaultRefusal.UnsupportedOperation(),
        };

    private (DevVaultToken Caller, bool Sudo) Authorize(
        DevVaultRequest request,
        DevVaultEngine? engine,
        string path,
        string below,
        DevVaultOperation operation
    )
    {
        var caller =
            _tokens.Find(request.Token)
            ?? throw (path == Wrapping.UnwrapPath ? Wrapping.Unknown() : new DevVaultRefusal(403, "permission denied"));
        if (_policies.On(caller, path, operation == DevVaultOperation.List) is not { } rule)
        {
            return (caller, true);
        }

        var needed = operation switch
        {
            DevVaultOperation.Read => Capabilities.Read,
            DevVaultOperation.List => Capabilities.List,
            DevVaultOperation.Create => Capabilities.Create,
            DevVaultOperation.Update => Capabilities.Update,
            _ => Capabilities.Delete,
        };
        var sudo = rule.Capabilities.HasFlag(Capabilities.Sudo);
        return
            rule.Capabilities.HasFlag(needed)
            && (sudo || engine?.NeedsSudo(below) is not true)
            && (!request.Writes || rule.Permits(request.Body))
            ? (caller, sudo)
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
