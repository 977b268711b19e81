using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Tokens;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.AppRole;

/// <summary><c>auth/approle/</c>: login with a role id and a secret id.</summary>
internal sealed class AppRoleEngine(DevVaultTokens tokens) : DevVaultEngine
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

    public override DevVaultReply Handle(DevVaultCall call)
    {
        if (call.Path == "login")
        {
            return call.Writes ? Login(call) : throw DevVaultRefusal.UnsupportedOperation();
        }

        if (call is { Path: "role/", Operation: DevVaultOperation.List })
        {
            return DevVaultReply.Keys(_roles.Keys);
        }

        if (!call.Below("role/", out var rest))
        {
            throw DevVaultRefusal.UnsupportedPath();
        }

        return rest.TrimEnd('/').Split('/') switch
        {
            [var name] => Role(call, name),
            [var name, "role-id"] => RoleId(call, Find(name)),
            [var name, "secret-id"] when call.Operation == DevVaultOperation.List => DevVaultReply.Keys(
                Find(name).SecretIds.Values.Select(secret => secret.Accessor).Order(StringComparer.Ordinal)
            ),
            [var name, "secret-id"] => SecretId(call, Find(name), Guid.NewGuid().ToString()),
            [var name, "custom-secret-id"] => SecretId(call, Find(name), Required(call.Fields, "secret_id")),
            _ => throw DevVaultRefusal.UnsupportedPath(),
        };
    }

    private AppRole Find(string name) =>
        _roles.GetValueOrDefault(name) ?? throw new DevVaultRefusal(404, $"role \"{name}\" does not exist");

    private DevVaultReply Role(DevVaultCall call, string name)
    {
        switch (call.Operation)
        {
            case DevVaultOperation.Read:
                var kept = (_roles.GetValueOrDefault(name) ?? throw DevVaultRefusal.NoEntry()).Settings;
                var shown = kept.ToJson();
                shown["token_bound_cidrs"] = new JsonArray([
                    .. DevVaultNetworks.Shown(TokenNetworks(kept)).Select(network => JsonValue.Create(network)),
                ]);
                return DevVaultReply.Of(shown);
            case DevVaultOperation.Delete:
                _roles.Remove(name);
                return DevVaultReply.NoContent;
            case DevVaultOperation.Create or DevVaultOperation.Update:
                if (call.Fields.Text("token_type") is not ("" or "default" or "service" or "default-service"))
                {
                    throw new DevVaultRefusal(400, "this development Vault makes service tokens only");
                }

                RoleSettings.RefuseOld(call.Fields, ("policies", "token_policies"), ("period", "token_period"));
                RoleSettings.RefuseUnkept("token_strictly_bind_ip", call.Fields.Flag("token_strictly_bind_ip"));
                DevVaultBounds.Check(_roles.Count, DevVaultBounds.Roles, "AppRoles");
                var before = _roles.GetValueOrDefault(name);
                var settings = RoleSettings.Read(RoleDefaults, call.Fields, before?.Settings);
                CheckNetworks(settings);
                _roles[name] = (before ?? new AppRole { Name = name, Settings = settings }) with
                {
                    Settings = settings,
                };
                return DevVaultReply.NoContent;
            default:
                throw DevVaultRefusal.UnsupportedOperation();
        }
    }

    private static void CheckNetworks(RoleSettings settings)
    {
        var (networks, tokens) = (settings.List("secret_id_bound_cidrs"), TokenNetworks(settings));
        if (DevVaultNetworks.FirstInvalid(networks) is { } network)
        {
            throw DevVaultRefusal.Collected(500, $"failed to validate CIDR blocks: invalid CIDR address: {network}");
        }

        if (
            settings
                .List("token_bound_cidrs")
                .FirstOrDefault(address =>
                    DevVaultNetworks.FirstInvalid(DevVaultNetworks.Spelt([address])) is not null
                ) is
            { } address
        )
        {
            throw new DevVaultRefusal(
                400,
                $"error parsing address \"{address}\": Unable to convert \"{address}\" to an IPv4 or IPv6 address, or a UNIX Socket"
            );
        }

        if (!settings.Flag("bind_secret_id") && networks.Count == 0 && tokens.Count == 0)
        {
            throw DevVaultRefusal.Collected(500, "at least one constraint should be enabled on the role");
        }
    }

    private static IReadOnlyList<string> TokenNetworks(RoleSettings settings) =>
        DevVaultNetworks.Spelt(settings.List("token_bound_cidrs"));

    private DevVaultReply RoleId(DevVaultCall call, AppRole role)
    {
        if (call.Operation == DevVaultOperation.Read)
        {
            return DevVaultReply.Of(new JsonObject { ["role_id"] = role.RoleId });
        }

        if (!call.Writes)
        {
            throw DevVaultRefusal.UnsupportedOperation();
        }

        _roles[role.Name] = role with { RoleId = Required(call.Fields, "role_id") };
        return DevVaultReply.NoContent;
    }

    private static string Required(DevVaultFields fields, string name) =>
        fields.Text(name) is { Length: > 0 } text ? text : throw new DevVaultRefusal(400, $"missing {name}");

    private static DevVaultReply SecretId(DevVaultCall call, AppRole role, string secretId)
    {
        if (!call.Writes)
        {
            throw DevVaultRefusal.UnsupportedOperation();
        }

        if (!role.Settings.Flag("bind_secret_id"))
        {
            throw new DevVaultRefusal(400, "bind_secret_id is not set on the role");
        }

        role.DropExpired(call.Now);
        DevVaultBounds.Check(role.SecretIds.Count, DevVaultBounds.SecretIds, "secret ids of one role");
        var entry = SecretIdEntry.Read(call, role.Settings);
        if (!role.SecretIds.TryAdd(secretId, entry))
        {
            throw DevVaultRefusal.Collected(500, "failed to store secret_id: SecretID is already registered");
        }

        return DevVaultReply.Of(
            new JsonObject
            {
                ["secret_id"] = secretId,
                ["secret_id_accessor"] = entry.Accessor,
                ["secret_id_num_uses"] = entry.UsesLeft,
                ["secret_id_ttl"] = (long)entry.Ttl.TotalSeconds,
            }
        );
    }

    private DevVaultReply Login(DevVaultCall call)
    {
        var (roleId, secretId) = (call.Fields.Text("role_id"), call.Fields.Text("secret_id"));
        if (roleId.Length == 0)
        {
            throw new DevVaultRefusal(500, "missing role_id");
        }

        var role =
            _roles.Values.FirstOrDefault(role => role.RoleId == roleId)
            ?? throw new DevVaultRefusal(400, "invalid role or secret ID");
        var settings = role.Settings;
        var secret = settings.Flag("bind_secret_id")
            ? role.Find(secretId.Length > 0 ? secretId : throw new DevVaultRefusal(400, "missing secret_id"), call)
            : null;
        var from = call.Request.From;
        if (settings.List("secret_id_bound_cidrs") is { Count: > 0 } bound && !DevVaultNetworks.Contain(bound, from))
        {
            throw new DevVaultRefusal(400, $"source address \"{from}\" unauthorized by CIDR restrictions on the role");
        }

        // Last, because OpenBao takes back the use of a login that it refuses.
        role.Use(secretId, secret);
        var warnings = new List<string>();
        var (period, maximum) = (settings.Duration("token_period"), settings.Duration("token_explicit_max_ttl"));
        var token = tokens.Add(
            new DevVaultToken
            {
                Id = DevVaultTokens.NewId(),
                Policies =
                [
                    .. settings
                        .List("token_policies")
                        .Concat(settings.Flag("token_no_default_policy") ? [] : ["default"])
                        .Distinct(StringComparer.Ordinal)
                        .Order(StringComparer.Ordinal),
                ],
                Path = $"{call.Mount}login",
                DisplayName = call.Mount["auth/".Length..].TrimEnd('/').Replace('/', '-'),
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
                Networks = secret is { TokenNetworks.Count: > 0 } ? secret.TokenNetworks : TokenNetworks(settings),
            }
        );
        return new DevVaultReply { Auth = token.ToAuth(), Warnings = warnings };
    }

    private sealed record AppRole
    {
        public required string Name { get; init; }

        public required RoleSettings Settings { get; init; }

        public string RoleId { get; init; } = Guid.NewGuid().ToString();

        public Dictionary<string, SecretIdEntry> SecretIds { get; init; } = new(StringComparer.Ordinal);

        /// <summary>The secret id, if it may log in from there within what the role permits now.</summary>
        public SecretIdEntry Find(string secretId, DevVaultCall call)
        {
            if (SecretIds.GetValueOrDefault(secretId) is not { } entry || entry.EndsAt <= call.Now)
            {
                throw new DevVaultRefusal(400, "invalid role or secret ID");
            }

            // The role may have been narrowed since.
            SecretIdEntry.CheckWithin(Settings.List("secret_id_bound_cidrs"), entry.Networks);
            if (entry.Networks.Count > 0 && !DevVaultNetworks.Contain(entry.Networks, call.Request.From))
            {
                throw new DevVaultRefusal(
                    400,
                    $"source address \"{call.Request.From}\" unauthorized through CIDR restrictions on the secret ID"
                );
            }

            return entry;
        }

        public void Use(string secretId, SecretIdEntry? entry)
        {
            if (entry is { UsesLeft: > 0 } && --entry.UsesLeft == 0)
            {
                SecretIds.Remove(secretId);
            }
        }

        public void DropExpired(DateTimeOffset now)
        {
            foreach (var (secretId, _) in SecretIds.Where(secret => secret.Value.EndsAt <= now).ToList())
            {
                SecretIds.Remove(secretId);
            }
        }
    }
}
