using System.Text.Json.Nodes;

namespace CredBroker.Server.Dev.VaultApi;

/// <summary>Something that ends: a secret, or a token's own life.</summary>
internal sealed class LeaseEntry
{
    /// <summary>The lease id: the path that made it and a random name.</summary>
    public required string Id { get; init; }

    /// <summary>The token that it hangs on; null for a token's own lease.</summary>
    public required TokenEntry? Owner { get; init; }

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
            ["expire_time"] = VaultDuration.ToText(EndsAt),
            ["id"] = Id,
            ["issue_time"] = VaultDuration.ToText(IssuedAt),
            ["last_renewal"] = RenewedAt is { } renewed ? VaultDuration.ToText(renewed) : null,
            ["path"] = Id[..Id.LastIndexOf('/')],
            ["renewable"] = Renewable,
            ["ttl"] = (long)(EndsAt - now).TotalSeconds,
        };
}
