using CredBroker.Core.Text;

namespace CredBroker.Vault.Http;

/// <summary>One call to Vault. It is a class without a printed form, because its token and body are secrets.</summary>
internal sealed class VaultCall(HttpMethod method, string path)
{
    /// <summary>LIST, Vault's own method.</summary>
    public static readonly HttpMethod List = new("LIST");

    private const string HealthPath = "sys/health";
    private const string AuditedHeadersPath = "sys/config/auditing/";

    public HttpMethod Method => method;

    /// <summary>Below <c>/v1/</c>, checked by <see cref="VaultPath"/> where a part of it comes from settings.</summary>
    public string Path => path;

    /// <summary>The token that makes the call; null for a login or health check.</summary>
    public SecretText? Token { get; init; }

    /// <summary>The JSON body, or null for none.</summary>
    public byte[]? Body { get; init; }

    /// <summary>The lease that a direct read is for; it stands in Vault's audit log as a request header.</summary>
    public string? LeaseId { get; init; }

    /// <summary>How long to wait for the answer.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Whether it asks a node what it is: the one answer of Vault that names no request.</summary>
    public bool IsHealth => path.StartsWith(HealthPath, StringComparison.Ordinal);

    /// <summary>
    /// Whether it is about the whole cluster, of which the root namespace alone knows: elsewhere it is not found or
    /// refused.
    /// </summary>
    public bool IsOfCluster => IsHealth || path.StartsWith(AuditedHeadersPath, StringComparison.Ordinal);

    /// <summary>Which kind of call it is, of few: names of mounts, roles and leases are left out.</summary>
    public string Operation =>
        path switch
        {
            _ when IsHealth => "health",
            _ when Is("auth/token/create") => "token-create",
            _ when Is("auth/token/revoke-accessor") => "accessor-revoke",
            _ when Is("auth/token/lookup-accessor") => "accessor-lookup",
            _ when Is("auth/token/renew-accessor") => "accessor-renew",
            _ when Is("auth/") => "session",
            _ when Is("sys/leases/revoke") => "lease-revoke",
            _ when Is("sys/leases/lookup") => method == List ? "lease-list" : "lease-lookup",
            _ when Is("sys/") => "system",
            _ when method == List => "list",
            _ => method == HttpMethod.Get ? "read" : "write",
        };

    /// <summary>Asks the node that is reached what it is, a standby or the active one.</summary>
    public static VaultCall Health(TimeSpan timeout) =>
        new(HttpMethod.Get, $"{HealthPath}?standbyok=true&perfstandbyok=true") { Timeout = timeout };

    public VaultCall With(SecretText token) =>
        new(method, path)
        {
            Token = token,
            Body = Body,
            LeaseId = LeaseId,
            Timeout = Timeout,
        };

    private bool Is(string prefix) => path.StartsWith(prefix, StringComparison.Ordinal);
}
