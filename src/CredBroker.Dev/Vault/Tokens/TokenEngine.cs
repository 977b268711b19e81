using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Access;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Tokens;

/// <summary><c>auth/token/</c>: tokens made, looked up, renewed and revoked; the roles that make them.</summary>
internal sealed class TokenEngine(DevVaultTokens tokens, DevVaultPolicies known) : DevVaultEngine
{
    private static readonly JsonObject RoleDefaults = JsonNode
        .Parse(
            """
            {"allowed_entity_aliases":null,"allowed_policies":[],
             "allowed_policies_glob":[],"disallowed_policies":[],"disallowed_policies_glob":[],"explicit_max_ttl":0,
             "orphan":false,"path_suffix":"","period":0,"renewable":true,
             "token_explicit_max_ttl":0,"token_no_default_policy":false,"token_period":0,"token_type":"default-service"}
            """
        )!
        .AsObject();

    private readonly SortedDictionary<string, RoleSettings> _roles = new(StringComparer.Ordinal);

    public override string Type => "token";

    public override bool? Exists(string path) =>
        path.StartsWith("roles/", StringComparison.Ordinal) ? _roles.ContainsKey(path["roles/".Length..]) : null;

    public override bool NeedsSudo(string path) =>
        path.StartsWith("accessors/", StringComparison.Ordinal)
        || path.StartsWith("revoke-orphan", StringComparison.Ordinal);

    public override DevVaultReply Handle(DevVaultCall call) =>
        call.Path switch
        {
            "create" => Write(call, () => Create(call, "")),
            "create-orphan" => Write(call, () => Create(call, "", orphan: true)),
            "lookup-self" => Any(call, () => DevVaultReply.Of(call.RequiredCaller.ToLookup(call.Now, withToken: true))),
            "renew-self" => Write(call, () => Renew(call, call.RequiredCaller)),
            "revoke-self" => Write(call, () => Revoke(call, call.RequiredCaller)),
            "lookup" => Any(call, () => DevVaultReply.Of(Named(call).ToLookup(call.Now, withToken: true))),
            "renew" => Write(
                call,
                () => Renew(call, tokens.Find(Id(call)) ?? throw new DevVaultRefusal(400, "token not found"))
            ),
            "revoke" => Write(call, () => Revoke(call, tokens.Find(Id(call)))),
            "lookup-accessor" => Write(
                call,
                () => DevVaultReply.Of(ByAccessor(call).ToLookup(call.Now, withToken: false))
            ),
            "renew-accessor" => Write(call, () => Renew(call, ByAccessor(call), withToken: false)),
            "revoke-accessor" => Write(call, () => RevokeByAccessor(call)),
            "accessors/" => call.Operation == DevVaultOperation.List
                ? DevVaultReply.Keys(tokens.Accessors)
                : throw DevVaultRefusal.UnsupportedOperation(),
            "roles/" => call.Operation == DevVaultOperation.List
                ? DevVaultReply.Keys(_roles.Keys)
                : throw DevVaultRefusal.UnsupportedPath(),
            _ when call.Below("create/", out var role) => Write(call, () => Create(call, role)),
            _ when call.Below("roles/", out var role) => Role(call, role),
            _ => throw DevVaultRefusal.UnsupportedPath(),
        };

    private static DevVaultReply Any(DevVaultCall call, Func<DevVaultReply> answer) =>
        call.Writes || call.Operation == DevVaultOperation.Read
            ? answer()
            : throw DevVaultRefusal.UnsupportedOperation();

    private static DevVaultReply Write(DevVaultCall call, Func<DevVaultReply> answer) =>
        call.Writes ? answer() : throw DevVaultRefusal.UnsupportedOperation();

    private DevVaultReply Role(DevVaultCall call, string name)
    {
        switch (call.Operation)
        {
            case DevVaultOperation.Read:
                var data = (_roles.GetValueOrDefault(name) ?? throw DevVaultRefusal.NoEntry()).ToJson();
                data["name"] = name;
                return DevVaultReply.Of(data);
            case DevVaultOperation.Delete:
                _roles.Remove(name);
                return DevVaultReply.NoContent;
            case DevVaultOperation.Create or DevVaultOperation.Update:
                if (call.Fields.Text("token_type") is not ("" or "service" or "default-service"))
                {
                    throw new DevVaultRefusal(400, "this development Vault makes service tokens only");
                }

                RoleSettings.RefuseOld(
                    call.Fields,
                    ("period", "token_period"),
                    ("explicit_max_ttl", "token_explicit_max_ttl")
                );
                RoleSettings.RefuseUnkept("token_bound_cidrs", call.Fields.List("token_bound_cidrs").Count > 0);
                RoleSettings.RefuseUnkept("token_num_uses", call.Fields.Count("token_num_uses") > 0);
                RoleSettings.RefuseUnkept("token_strictly_bind_ip", call.Fields.Flag("token_strictly_bind_ip"));
                DevVaultBounds.Check(_roles.Count, DevVaultBounds.Roles, "token roles");
                _roles[name] = RoleSettings.Read(RoleDefaults, call.Fields, _roles.GetValueOrDefault(name));
                return DevVaultReply.NoContent;
            default:
                throw DevVaultRefusal.UnsupportedOperation();
        }
    }

    private DevVaultReply Create(DevVaultCall call, string roleName, bool orphan = false)
    {
        var role =
            roleName.Length == 0
                ? null
                : _roles.GetValueOrDefault(roleName) ?? throw new DevVaultRefusal(400, $"unknown role {roleName}");
        var (fields, parent) = (call.Fields, call.RequiredCaller);
        if (parent.UsesLeft != 0)
        {
            // With its last use a token is gone before the call is looked at.
            throw new DevVaultRefusal(
                400,
                parent.UsesLeft == DevVaultToken.Spent
                    ? "parent token lookup failed: no parent found"
                    : "restricted use token cannot generate child tokens"
            );
        }

        if (fields.Text("type") is not ("" or "service"))
        {
            throw new DevVaultRefusal(400, "this development Vault makes service tokens only");
        }

        if (fields.Pairs("meta") is { } meta)
        {
            DevVaultBounds.Check(
                meta.ToJsonString().Length,
                DevVaultBounds.MetadataCharacters,
                "characters of metadata in a token"
            );
        }

        if (fields.Flag("no_parent") && role is null && !call.Sudo)
        {
            throw new DevVaultRefusal(400, "root or sudo privileges required to create orphan token");
        }

        var id = fields.Text("id");
        if (id.Length > 0 && (!call.Sudo || id.Contains('.', StringComparison.Ordinal)))
        {
            throw new DevVaultRefusal(
                400,
                (call.Sudo, id.StartsWith("s.", StringComparison.Ordinal)) switch
                {
                    (false, _) => "root or sudo privileges required to specify token id",
                    (_, true) => "custom token ID cannot have the 's.' prefix",
                    _ => "custom token ID cannot have a '.' in the value",
                }
            );
        }

        var policies = TokenPolicies.Grant(fields, role, parent, call.Sudo);
        List<string> warnings =
        [
            .. policies
                .Where(name => name != "root" && known.Find(name) is null)
                .Select(name => $"Policy \"{name}\" does not exist"),
        ];
        var period = role switch
        {
            not null => role.Duration("token_period"),
            null when call.Sudo => fields.DurationText("period"),
            null => TimeSpan.Zero,
        };
        var explicitMaximum = fields.DurationText("explicit_max_ttl");
        var roleMaximum = role?.Duration("token_explicit_max_ttl") ?? TimeSpan.Zero;
        var asked = fields.Has("ttl") ? fields.DurationText("ttl") : fields.DurationText("lease");
        var endless =
            policies.Contains("root")
            && asked == TimeSpan.Zero
            && period == TimeSpan.Zero
            && explicitMaximum == TimeSpan.Zero
            && parent.Life is null;
        if (explicitMaximum > TimeSpan.Zero && roleMaximum > TimeSpan.Zero)
        {
            warnings.Add(
                "Explicit max TTL specified both during creation call and in role; using "
                    + $"the lesser value of {(long)TokenTtl.Smaller(explicitMaximum, roleMaximum).TotalSeconds} seconds"
            );
        }

        if (id.Length > 0)
        {
            warnings.Add("Supplying a custom ID for the token is for development alone.");
        }

        var orphaned = orphan || (role?.Flag("orphan") ?? fields.Flag("no_parent"));
        var token = tokens.Add(
            new DevVaultToken
            {
                Id = id.Length > 0 ? id : DevVaultTokens.NewId(),
                Policies = policies,
                Path = roleName switch
                {
                    "" when orphan => "auth/token/create-orphan",
                    "" => "auth/token/create",
                    _ => $"auth/token/create/{roleName}",
                },
                DisplayName = DevVaultText.DisplayName(fields.Text("display_name")),
                Meta = fields.Pairs("meta"),
                Role = roleName,
                IssuedAt = call.Now,
                Renewable = (role?.Flag("renewable") ?? true) && fields.Flag("renewable", absent: true),
                CreationTtl = endless
                    ? TimeSpan.Zero
                    : TokenTtl.Grant(
                        asked,
                        period,
                        TokenTtl.Smaller(explicitMaximum, roleMaximum),
                        call.Now,
                        call.Now,
                        warnings
                    ),
                ExplicitMaxTtl = explicitMaximum,
                Period = period,
                UsesLeft = fields.Count("num_uses", "number of uses"),
                Networks = orphaned || role is not null ? [] : parent.Networks,
                Parent = orphaned ? null : parent,
            }
        );
        return new DevVaultReply { Auth = token.ToAuth(), Warnings = warnings };
    }

    private DevVaultReply Renew(DevVaultCall call, DevVaultToken token, bool withToken = true)
    {
        if (!token.Renewable || token.Life is not { } life)
        {
            throw new DevVaultRefusal(400, "lease is not renewable");
        }

        var (period, maximum) = (token.Period, TokenTtl.Smaller(token.ExplicitMaxTtl, token.MaxTtl));
        if (token.Role.Length > 0)
        {
            var role =
                _roles.GetValueOrDefault(token.Role)
                ?? throw new DevVaultRefusal(
                    500,
                    $"original token role \"{token.Role}\" could not be found, not renewing"
                );
            (period, maximum) = (role.Duration("token_period"), role.Duration("token_explicit_max_ttl"));
        }

        var warnings = new List<string>();
        var increment = call.Fields.Duration("increment");
        token.LastTtl = TokenTtl.Grant(
            increment > TimeSpan.Zero ? increment : token.LastTtl,
            period,
            maximum,
            token.IssuedAt,
            call.Now,
            warnings
        );
        tokens.Extend(life, call.Now + token.LastTtl, call.Now);
        return new DevVaultReply { Auth = token.ToAuth(withToken), Warnings = warnings };
    }

    private DevVaultReply Revoke(DevVaultCall call, DevVaultToken? token)
    {
        if (token is not null)
        {
            tokens.Revoke(token, call.Now);
        }

        return DevVaultReply.NoContent;
    }

    private DevVaultReply RevokeByAccessor(DevVaultCall call) =>
        tokens.FindByAccessor(Accessor(call)) is { } token
            ? Revoke(call, token)
            : new DevVaultReply { Warnings = ["No token found with this accessor"] };

    private DevVaultToken Named(DevVaultCall call) =>
        call.Fields.Text("token") is not { Length: > 0 } text
            ? call.RequiredCaller
            : tokens.Find(text) ?? throw new DevVaultRefusal(403, "bad token");

    private static string Id(DevVaultCall call) =>
        call.Fields.Text("token") is { Length: > 0 } id ? id : throw new DevVaultRefusal(400, "missing token ID");

    private DevVaultToken ByAccessor(DevVaultCall call) =>
        tokens.FindByAccessor(Accessor(call)) ?? throw DevVaultRefusal.Collected(400, "invalid accessor");

    private static string Accessor(DevVaultCall call) =>
        call.Fields.Text("accessor") is { Length: > 0 } accessor
            ? accessor
            : throw DevVaultRefusal.Collected(400, "missing accessor");
}
