using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Tokens;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Leases;

/// <summary>Something that ends: a secret, or a token's own life.</summary>
internal sealed class DevVaultLease
{
    /// <summary>The lease id: the path that made it and a random name.</summary>
    public required string Id { get; init; }

    /// <summary>The token that it hangs on; null for a token's own lease.</summary>
    public required DevVaultToken? Owner { get; init; }

    /// <summary>What ending it means; gets the time of the end.</summary>
    public required Action<DateTimeOffset> End { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public required DateTimeOffset EndsAt { get; set; }

    public DateTimeOffset? RenewedAt { get; set; }

    public required bool Renewable { get; init; }

    /// <summary>Its length at issuance, in whole seconds.</summary>
    public long Duration => (long)Math.Round((EndsAt - (RenewedAt ?? IssuedAt)).TotalSeconds);

    /// <summary>As <c>sys/leases/lookup</c> shows it.</summary>
    public JsonObject ToJson(DateTimeOffset now) =>
        new()
        {
            ["expire_time"] = DevVaultDuration.ToText(EndsAt),
            ["id"] = Id,
            ["issue_time"] = DevVaultDuration.ToText(IssuedAt),
            ["last_renewal"] = RenewedAt is { } renewed ? DevVaultDuration.ToText(renewed) : null,
            ["path"] = Id[..Id.LastIndexOf('/')],
            ["renewable"] = Renewable,
            ["ttl"] = (long)(EndsAt - now).TotalSeconds,
        };
}
