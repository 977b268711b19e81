using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Text;
using CredBroker.Server.Identity.Settings;

namespace CredBroker.Server.Identity.Keys;

/// <summary>
/// Fetches an issuer's JWKS over HTTP: from its address, or from the one that the discovery document names (OpenID
/// Connect Discovery §4). Bounded in size (of what a compressed answer unpacks to, too) and time, without redirects or
/// cookies. Every fetch makes its own connection, so that certificates, tokens and addresses are always current.
/// </summary>
internal sealed class JwksFetcher(string issuer, JwksOptions options, bool devMode)
{
    /// <summary>
    /// The JWKS as the issuer sent it. Throws <see cref="KeyDocumentException"/>, <see cref="HttpRequestException"/> or
    /// <see cref="IOException"/>.
    /// </summary>
    public async Task<ReadOnlyMemory<byte>> FetchAsync(CancellationToken cancellationToken)
    {
        var first = new Uri(
            options.Uri.Length > 0 ? options.Uri : $"{issuer.TrimEnd('/')}/.well-known/openid-configuration"
        );
        using var client = CreateClient(first, Trust(options.CaFile));
        if (options.TokenFile.Length > 0)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Bearer",
                await KeyFile.ReadTokenAsync(options.TokenFile, cancellationToken)
            );
        }

        var document = await GetAsync(client, first, cancellationToken);
        if (options.Uri.Length > 0)
        {
            return document;
        }

        var jwksAddress = ReadDiscovery(document);
        // The token is for the server that it was configured for, not for whatever that server points at.
        if (!KeyAddress.IsSameOrigin(first, jwksAddress))
        {
            client.DefaultRequestHeaders.Authorization = null;
        }

        return await GetAsync(client, jwksAddress, cancellationToken);
    }

    private Uri ReadDiscovery(ReadOnlyMemory<byte> utf8)
    {
        if (!StrictJson.TryReadObject(JsonWebKeys.WithoutMark(utf8), out var document))
        {
            throw new KeyDocumentException("the discovery document is not a JSON object, or has a member twice");
        }

        using (document)
        {
            if (Text(document.RootElement, "issuer") != issuer)
            {
                throw new KeyDocumentException(
                    "the discovery document is another issuer's: its 'issuer' is not exactly the configured one"
                );
            }

            return KeyAddress.TryParse(Text(document.RootElement, "jwks_uri") ?? "", devMode, out var address)
                ? address
                : throw new KeyDocumentException("the discovery document's 'jwks_uri' is not an https address");
        }

        static string? Text(JsonElement root, string name) =>
            root.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
                ? member.GetString()
                : null;
    }

    private static async Task<byte[]> GetAsync(HttpClient client, Uri address, CancellationToken cancellationToken)
    {
        using var response = await client.GetAsync(address, cancellationToken);
        return response.StatusCode == HttpStatusCode.OK
            ? await response.Content.ReadAsByteArrayAsync(cancellationToken)
            : throw new KeyDocumentException(
                $"{address.AbsoluteUri} answered {(int)response.StatusCode} instead of 200"
            );
    }

    private static HttpClient CreateClient(Uri first, X509ChainPolicy? trust)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.GZip,
            UseProxy = !first.IsLoopback,
            MaxResponseHeadersLength = 16,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust },
        };
        return new HttpClient(handler)
        {
            MaxResponseContentBufferSize = JsonWebKeys.MaxBytes,
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Trust in the authorities of a PEM file; null, and so the system's, without a file.</summary>
    /// <summary>Trust in the authorities of a PEM file; null, and so the system's, without a file.</summary>
    public static X509ChainPolicy? Trust(string caFile)
    {
        var trust = caFile.Length > 0 ? CertificateAuthorities.TrustOnly(caFile) : null;
        return trust is { CustomTrustStore.Count: 0 }
            ? throw new KeyDocumentException($"the file '{caFile}' holds no certificate")
            : trust;
    }
}
