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
}
