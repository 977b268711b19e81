using System.Text.Json.Nodes;

namespace CredBroker.Server.Dev.VaultApi;

/// <summary><c>auth/approle/</c>: login with a role id and a secret id.</summary>
internal sealed class AppRoleEngine(TokenStore tokens) : Engine
{
    private static readonly JsonObject RoleDefaults = JsonNode
        .Parse(
            """
            {"bind_secret_id":true,"local_secret_ids":false,
             "secret_id_bound_cidrs":null,"secret_id_num_uses":0,"secret_id_ttl":0,"token_bound_cidrs":[],
             "token_explicit_max_ttl":0,"token_max_ttl":0,"token_no_default_policy":false,
             "token_num_uses":0,"token_period":0,"token_policies":[],
             "token_strictly_bind_ip":false,"token_ttl":0,"token_type":"default"}
            """
        )!
        .AsObject();

    private readonly SortedDictionary<string, AppRole> _roles = new(StringComparer.Ordinal);

    public override string Type => "approle";

    public override bool IsOpen(string path) => path == "login";

    public override bool? Exists(string path) =>
        path.StartsWith("role/", StringComparison.Ordinal) && path.IndexOf('/', "role/".Length) < 0
            ? _roles.ContainsKey(path["role/".Length..])
            : null;

    public override VaultReply Handle(VaultCall call)
    {
        if (call.Path == "login")
        {
            return call.Writes ? Login(call) : throw VaultRefusal.UnsupportedOperation();
        }

        if (call is { Path: "role/", Operation: Operation.List })
        {
            return VaultReply.Keys(_roles.Keys);
        }

        if (!call.Below("role/", out var rest))
        {
            throw VaultRefusal.UnsupportedPath();
        }

        return rest.TrimEnd('/').Split('/') switch
        {
            [var name] => Role(call, name),
            [var name, "role-id"] => RoleId(call, Find(name)),
            [var name, "secret-id"] when call.Operation == Operation.List => VaultReply.Keys(
                Find(name).SecretIds.Values.Select(secret => secret.Accessor).Order(StringComparer.Ordinal)
            ),
            [var name, "secret-id"] when call.Writes => SecretId(call, Find(name), Guid.NewGuid().ToString()),
            [var name, "custom-secret-id"] when call.Writes => SecretId(
                call,
                Find(name),
                call.Fields.Text("secret_id")
            ),
            _ => throw VaultRefusal.UnsupportedPath(),
        };
    }

    private AppRole Find(string name) =>
        _roles.GetValueOrDefault(name) ?? throw new VaultRefusal(404, $"role \"{name}\" does not exist");

    private VaultReply Role(VaultCall call, string name)
    {
        switch (call.Operation)
        {
            case Operation.Read:
                return VaultReply.Of(
                    (_roles.GetValueOrDefault(name) ?? throw VaultRefusal.NoEntry()).Settings.ToJson()
                );
            case Operation.Delete:
                _roles.Remove(name);
                return VaultReply.NoContent;
            case Operation.Create or Operation.Update:
                VaultSettings.RefuseOld(call.Fields, ("policies", "token_policies"), ("period", "token_period"));
                Bounds.Check(_roles.Count, Bounds.Roles, "AppRoles");
                var before = _roles.GetValueOrDefault(name);
                _roles[name] = (
                    before ?? new AppRole { Name = name, Settings = VaultSettings.Read(RoleDefaults, call.Fields) }
                ) with
                {
                    Settings = VaultSettings.Read(RoleDefaults, call.Fields, before?.Settings),
                };
                return VaultReply.NoContent;
            default:
                throw VaultRefusal.UnsupportedOperation();
        }
    }

    private VaultReply RoleId(VaultCall call, AppRole role)
    {
        if (call.Operation == Operation.Read)
        {
            return VaultReply.Of(new JsonObject { ["role_id"] = role.RoleId });
        }

        _roles[role.Name] = role with { RoleId = call.Fields.Text("role_id") };
        return VaultReply.NoContent;
    }

    private static VaultReply SecretId(VaultCall call, AppRole role, string secretId)
    {
        Bounds.Check(role.SecretIds.Count, Bounds.SecretIds, "secret ids of one role");
        var (uses, ttl) = (role.Settings.Number("secret_id_num_uses"), role.Settings.Duration("secret_id_ttl"));
        var entry = new SecretIdEntry
        {
            UsesLeft = uses,
            EndsAt = ttl > TimeSpan.Zero ? call.Now + ttl : DateTimeOffset.MaxValue,
        };
        if (!role.SecretIds.TryAdd(secretId, entry))
        {
            throw new VaultRefusal(500, "failed to store SecretID: SecretID is already registered");
        }

        return VaultReply.Of(
            new JsonObject
            {
                ["secret_id"] = secretId,
                ["secret_id_accessor"] = entry.Accessor,
                ["secret_id_num_uses"] = uses,
                ["secret_id_ttl"] = (long)ttl.TotalSeconds,
            }
        );
    }

    private VaultReply Login(VaultCall call)
    {
        var (roleId, secretId) = (call.Fields.Text("role_id"), call.Fields.Text("secret_id"));
        if (roleId.Length == 0)
        {
            throw new VaultRefusal(500, "missing role_id");
        }

        var role =
            _roles.Values.FirstOrDefault(role => role.RoleId == roleId)
            ?? throw new VaultRefusal(400, "invalid role or secret ID");
        if (role.Settings.Flag("bind_secret_id"))
        {
            role.Use(secretId.Length > 0 ? secretId : throw new VaultRefusal(400, "missing secret_id"), call.Now);
        }

        var warnings = new List<string>();
        var settings = role.Settings;
        var (period, maximum) = (settings.Duration("token_period"), settings.Duration("token_explicit_max_ttl"));
        var token = tokens.Add(
            new TokenEntry
            {
                Id = TokenStore.NewId(),
                Policies =
                [
                    .. settings
                        .List("token_policies")
                        .Concat(settings.Flag("token_no_default_policy") ? [] : ["default"])
                        .Distinct(StringComparer.Ordinal)
                        .Order(StringComparer.Ordinal),
                ],
                Path = $"{call.Mount}login",
                DisplayName = "approle",
                Meta = new JsonObject { ["role_name"] = role.Name },
                IssuedAt = call.Now,
                Renewable = true,
                CreationTtl = TokenTtl.Grant(
                    settings.Duration("token_ttl"),
                    period,
                    TokenTtl.Smaller(maximum, settings.Duration("token_max_ttl")),
                    call.Now,
                    call.Now,
                    warnings
                ),
                ExplicitMaxTtl = maximum,
                MaxTtl = settings.Duration("token_max_ttl"),
                Period = period,
                UsesLeft = settings.Number("token_num_uses"),
            }
        );
        return new VaultReply { Auth = token.ToAuth(), Warnings = warnings };
    }

    private sealed record AppRole
    {
        public required string Name { get; init; }

        public required VaultSettings Settings { get; init; }

        public string RoleId { get; init; } = Guid.NewGuid().ToString();

        public Dictionary<string, SecretIdEntry> SecretIds { get; init; } = new(StringComparer.Ordinal);

        public void Use(string secretId, DateTimeOffset now)
        {
            if (SecretIds.GetValueOrDefault(secretId) is not { } entry || entry.EndsAt <= now)
            {
                throw new VaultRefusal(400, "invalid role or secret ID");
            }

            if (entry.UsesLeft > 0 && --entry.UsesLeft == 0)
            {
                SecretIds.Remove(secretId);
            }
        }
    }

    private sealed class SecretIdEntry
    {
        public string Accessor { get; } = Guid.NewGuid().ToString();

        public required int UsesLeft { get; set; }

        public required DateTimeOffset EndsAt { get; init; }
    }
}
