using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Leases;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Tokens;

/// <summary>A token: what it may do, who made it, what hangs on it.</summary>
internal sealed class DevVaultToken
{
    public required string Id { get; init; }

    public string Accessor { get; } = DevVaultText.Random();

    public required IReadOnlyList<string> Policies { get; init; }

    /// <summary>The path that made it; with its role's name, the folder of its lease.</summary>
    public required string Path { get; init; }

    public string DisplayName { get; init; } = "token";

    public JsonObject? Meta { get; init; }

    /// <summary>The token role that made it; its settings at the time count at renewal.</summary>
    public string Role { get; init; } = "";

    public required DateTimeOffset IssuedAt { get; init; }

    public required bool Renewable { get; init; }

    /// <summary>Its life as granted; zero for a root token, which never ends.</summary>
    public required TimeSpan CreationTtl { get; init; }

    /// <summary>
    /// As the request asked for. Ignored at the renewal of a token that a role made: a trap of the real one.
    /// </summary>
    public TimeSpan ExplicitMaxTtl { get; init; }

    /// <summary>The end of all renewals as its auth method sets it; zero for none.</summary>
    public TimeSpan MaxTtl { get; init; }

    public TimeSpan Period { get; init; }

    /// <summary>What <see cref="UsesLeft"/> is while the last use is under way, as Vault shows it.</summary>
    public const int Spent = -1;

    /// <summary>How many uses are left; 0 for any number.</summary>
    public int UsesLeft { get; set; }

    /// <summary>The networks that it may come from; empty for any.</summary>
    public IReadOnlyList<string> Networks { get; init; } = [];

    /// <summary>Whose child it is; null for an orphan.</summary>
    public DevVaultToken? Parent { get; init; }

    /// <summary>What <c>renew</c> without an increment gives again.</summary>
    public TimeSpan LastTtl { get; set; }

    /// <summary>Its own life; null for a root token.</summary>
    public DevVaultLease? Life { get; set; }

    /// <summary>Secrets that end with it.</summary>
    public HashSet<DevVaultLease> Leases { get; } = [];

    /// <summary>Tokens that end with it.</summary>
    public HashSet<DevVaultToken> Children { get; } = [];

    /// <summary>The reply that a wrapping token carries.</summary>
    public JsonObject? Wrapped { get; set; }

    public bool IsRoot => Policies.Contains("root");

    /// <summary>The <c>auth</c> member of the reply that hands it out.</summary>
    public JsonObject ToAuth(bool withToken = true) =>
        new()
        {
            ["client_token"] = withToken ? Id : "",
            ["accessor"] = Accessor,
            ["policies"] = PolicyNames(),
            ["token_policies"] = PolicyNames(),
            ["metadata"] = Meta?.DeepClone(),
            ["lease_duration"] = (long)Math.Round(LastTtl.TotalSeconds),
            ["renewable"] = Renewable && Life is not null,
            ["entity_id"] = "",
            ["token_type"] = "service",
            ["orphan"] = Parent is null,
            ["mfa_requirement"] = null,
            ["num_uses"] = UsesLeft,
        };

    /// <summary>As the lookups show it.</summary>
    public JsonObject ToLookup(DateTimeOffset now, bool withToken)
    {
        var data = new JsonObject
        {
            ["accessor"] = Accessor,
            ["creation_time"] = IssuedAt.ToUnixTimeSeconds(),
            ["creation_ttl"] = (long)CreationTtl.TotalSeconds,
            ["display_name"] = DisplayName,
            ["entity_id"] = "",
            ["expire_time"] = Life is null ? null : DevVaultDuration.ToText(Life.EndsAt),
            ["explicit_max_ttl"] = (long)ExplicitMaxTtl.TotalSeconds,
            ["id"] = withToken ? Id : "",
            ["issue_time"] = DevVaultDuration.ToText(IssuedAt),
        };
        if (Life?.RenewedAt is { } renewed)
        {
            data["last_renewal"] = DevVaultDuration.ToText(renewed);
            data["last_renewal_time"] = renewed.ToUnixTimeSeconds();
        }

        if (Networks.Count > 0)
        {
            data["bound_cidrs"] = new JsonArray([
                .. DevVaultNetworks.Shown(Networks).Select(network => JsonValue.Create(network)),
            ]);
        }

        data["meta"] = Meta?.DeepClone();
        data["num_uses"] = UsesLeft;
        data["orphan"] = Parent is null;
        data["path"] = Path;
        if (Period > TimeSpan.Zero)
        {
            data["period"] = (long)Period.TotalSeconds;
        }

        data["policies"] = PolicyNames();
        data["renewable"] = Renewable && Life is not null;
        if (Role.Length > 0)
        {
            data["role"] = Role;
        }

        data["ttl"] = Life is null ? 0 : (long)(Life.EndsAt - now).TotalSeconds;
        data["type"] = "service";
        return data;
    }

    private JsonArray PolicyNames() => new([.. Policies.Select(name => JsonValue.Create(name))]);
}
