using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Leases;

namespace CredBroker.Dev.Vault.Http;

/// <summary>What a call answers.</summary>
internal sealed record DevVaultReply
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; init; } = 200;

    /// <summary>The <c>data</c> member.</summary>
    public JsonObject? Data { get; init; }

    /// <summary>The <c>auth</c> member.</summary>
    public JsonObject? Auth { get; init; }

    /// <summary>The <c>wrap_info</c> member.</summary>
    public JsonObject? WrapInfo { get; init; }

    /// <summary>The <c>warnings</c> member; null when empty.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The lease that the reply's secret hangs on.</summary>
    public DevVaultLease? Lease { get; init; }

    /// <summary>
    /// Whether the members of <c>data</c> stand at the top level too, as some of Vault's system paths have it.
    /// </summary>
    public bool AlsoAtTop { get; init; }

    /// <summary>A whole body in place of the envelope: health, seal status.</summary>
    public JsonObject? Bare { get; init; }

    /// <summary>A body that is no JSON: a certificate or a CRL.</summary>
    public byte[]? Raw { get; init; }

    /// <summary>The type of <see cref="Raw"/>.</summary>
    public string ContentType { get; init; } = "application/json";

    /// <summary>204.</summary>
    public static DevVaultReply NoContent { get; } = new() { Status = 204 };

    /// <summary>200 with data.</summary>
    public static DevVaultReply Of(JsonObject data, params string[] warnings) =>
        new() { Data = data, Warnings = warnings };

    /// <summary>200 with keys; 404 where there are none.</summary>
    public static DevVaultReply Keys(IEnumerable<string> keys)
    {
        var list = new JsonArray([.. keys.Select(key => JsonValue.Create(key))]);
        return list.Count == 0 ? throw DevVaultRefusal.NoEntry() : Of(new JsonObject { ["keys"] = list });
    }

    /// <summary>An error in Vault's form.</summary>
    public static DevVaultReply Error(int status, IEnumerable<string> errors) =>
        new()
        {
            Status = status,
            Bare = new JsonObject { ["errors"] = new JsonArray([.. errors.Select(error => JsonValue.Create(error))]) },
        };

    /// <summary>The JSON body.</summary>
    public JsonObject ToJson()
    {
        if (Bare is not null)
        {
            return Bare;
        }

        var body = AlsoAtTop && Data is not null ? Data.DeepClone().AsObject() : [];
        body["request_id"] = WrapInfo is null ? Guid.NewGuid().ToString() : "";
        body["lease_id"] = Lease?.Id ?? "";
        body["renewable"] = Lease?.Renewable ?? false;
        body["lease_duration"] = Lease?.Duration ?? 0;
        body["data"] = Data;
        body["wrap_info"] = WrapInfo;
        body["warnings"] =
            Warnings.Count == 0 ? null : new JsonArray([.. Warnings.Select(text => JsonValue.Create(text))]);
        body["auth"] = Auth;
        return body;
    }
}
