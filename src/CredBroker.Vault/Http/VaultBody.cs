using System.Text.Json;

namespace CredBroker.Vault.Http;

/// <summary>
/// Vault's common answer. Classes, not records: they hold secrets and must not print them. With setters, because the
/// serializer reads what can only be initialized by way of a constructor of all members, which each exchange pays twice.
/// </summary>
internal sealed class VaultBody
{
    /// <summary>Of a 204, by which Vault says that it did what it was told.</summary>
    public static readonly VaultBody Empty = new();

    /// <summary>What Vault calls the request: in every answer with a body, but for health and for what is kept back.</summary>
    public string? RequestId { get; set; }

    public string? LeaseId { get; set; }

    /// <summary>Seconds.</summary>
    public long LeaseDuration { get; set; }

    public JsonElement Data { get; set; }

    public VaultAuth? Auth { get; set; }

    /// <summary>There where Vault keeps back its answer, which the broker never asks for.</summary>
    public JsonElement WrapInfo { get; set; }

    /// <summary>Of <c>sys/health</c>: whether the node is a standby.</summary>
    public bool? Standby { get; set; }

    /// <summary>Of <c>sys/health</c>: which cluster the node belongs to; a new Vault is a new one.</summary>
    public string? ClusterId { get; set; }

    /// <summary>
    /// Whether a control group kept the call back until somebody approves: Vault answers with a wrapped promise alone,
    /// OpenBao with nothing.
    /// </summary>
    public bool AwaitsApproval => LeaseId is null or "" && Auth is null && Data.ValueKind == JsonValueKind.Null;

    public IReadOnlyList<string>? Warnings { get; set; }

    public IReadOnlyList<string>? Errors { get; set; }

    /// <summary>A text member of the data, or null.</summary>
    public string? Text(string member) =>
        Data.ValueKind == JsonValueKind.Object
        && Data.TryGetProperty(member, out var value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>The data as one of our records, or null where it does not fit.</summary>
    public T? As<T>(System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return Data.ValueKind == JsonValueKind.Object ? Data.Deserialize(type) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>A token that Vault made or renewed.</summary>
internal sealed class VaultAuth
{
    public string? ClientToken { get; set; }

    public string? Accessor { get; set; }

    public IReadOnlyList<string>? TokenPolicies { get; set; }

    /// <summary>Seconds; 0 means that it never ends.</summary>
    public long LeaseDuration { get; set; }

    public bool Renewable { get; set; }

    public bool? Orphan { get; set; }

    public string? TokenType { get; set; }
}

/// <summary>A token as lookup shows it.</summary>
internal sealed record TokenFacts
{
    public string Accessor { get; init; } = "";

    public IReadOnlyList<string> Policies { get; init; } = [];

    /// <summary>Seconds left; 0 means that it never ends.</summary>
    public long Ttl { get; init; }

    public long CreationTtl { get; init; }

    public bool Renewable { get; init; }

    public bool Orphan { get; init; }

    public string Type { get; init; } = "";
}

/// <summary>A lease as lookup shows it.</summary>
internal sealed record LeaseFacts
{
    public DateTimeOffset IssueTime { get; init; }

    /// <summary>Seconds left; 0 while it is being revoked.</summary>
    public long Ttl { get; init; }

    /// <summary>There once Vault has given up revoking it: the backend's words.</summary>
    public string? RevokeError { get; init; }
}

/// <summary>The names under a listed path.</summary>
internal sealed record ListedKeys
{
    public IReadOnlyList<string> Keys { get; init; } = [];
}
