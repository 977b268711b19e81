using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.AppRole;

/// <summary>A secret id of a role: for how long, how often and from where it logs in.</summary>
internal sealed class SecretIdEntry
{
    public string Accessor { get; } = Guid.NewGuid().ToString();

    /// <summary>How many logins are left; 0 for any number.</summary>
    public required int UsesLeft { get; set; }

    /// <summary>Its life as granted; zero for one without an end.</summary>
    public required TimeSpan Ttl { get; init; }

    public required DateTimeOffset EndsAt { get; init; }

    /// <summary>The networks that it may be used from; empty for any that the role permits.</summary>
    public required IReadOnlyList<string> Networks { get; init; }

    /// <summary>The networks that its tokens may be used from; empty for the role's.</summary>
    public required IReadOnlyList<string> TokenNetworks { get; init; }

    /// <summary>Reads what the request asks for, within what the role permits, and the role's where it asks nothing.</summary>
    public static SecretIdEntry Read(DevVaultCall call, RoleSettings role)
    {
        var fields = call.Fields;
        if (fields.Text("metadata").Length > 0)
        {
            throw new DevVaultRefusal(400, "this development Vault keeps no metadata of a secret id");
        }

        var (mostUses, longest) = (role.Number("secret_id_num_uses"), role.Duration("secret_id_ttl"));
        var uses = fields.Has("num_uses") ? fields.Count("num_uses") : mostUses;
        if (mostUses > 0 && (uses == 0 || uses > mostUses))
        {
            throw new DevVaultRefusal(400, "num_uses cannot be higher than the role's secret_id_num_uses");
        }

        var ttl = fields.Has("ttl") ? fields.Duration("ttl") : longest;
        if (longest > TimeSpan.Zero && (ttl == TimeSpan.Zero || ttl > longest))
        {
            throw new DevVaultRefusal(400, "ttl cannot be longer than the role's secret_id_ttl");
        }

        ttl = ttl < DevVaultDuration.SystemMaximum ? ttl : DevVaultDuration.SystemMaximum;
        return new SecretIdEntry
        {
            UsesLeft = uses,
            Ttl = ttl,
            EndsAt = ttl > TimeSpan.Zero ? call.Now + ttl : DateTimeOffset.MaxValue,
            Networks = ReadNetworks(fields.List("cidr_list"), role.List("secret_id_bound_cidrs"), "CIDR blocks"),
            TokenNetworks = ReadNetworks(
                fields.List("token_bound_cidrs"),
                DevVaultNetworks.Spelt(role.List("token_bound_cidrs")),
                "token CIDR blocks"
            ),
        };
    }

    private static IReadOnlyList<string> ReadNetworks(
        IReadOnlyList<string> asked,
        IReadOnlyList<string> roles,
        string what
    )
    {
        if (DevVaultNetworks.FirstInvalid(asked) is { } invalid)
        {
            throw DevVaultRefusal.Collected(500, $"failed to validate {what}: invalid CIDR address: {invalid}");
        }

        CheckWithin(roles, asked);
        return asked;
    }

    /// <summary>Refuses networks that do not lie within the role's, where it has any.</summary>
    public static void CheckWithin(IReadOnlyList<string> roles, IReadOnlyList<string> networks)
    {
        if (roles.Count > 0 && !DevVaultNetworks.Contain(roles, networks))
        {
            throw DevVaultRefusal.Collected(
                500,
                "failed to verify subset relationship between CIDR blocks on the role and CIDR blocks on the secret ID"
            );
        }
    }
}
