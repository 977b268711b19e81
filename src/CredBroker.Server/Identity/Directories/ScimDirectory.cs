using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Owners;
using CredBroker.Core.Text;
using CredBroker.Server.Identity.Keys;
using CredBroker.Server.Identity.Settings;

namespace CredBroker.Server.Identity.Directories;

/// <summary>
/// A directory that speaks SCIM 2.0: a user is read by its id (RFC 7644 section 3.4.1), or found by a filter (section
/// 3.4.2.2). Bounded in size and time, without redirects or cookies. Every question makes its own connection, so that
/// certificate and token are always current.
/// </summary>
internal sealed class ScimDirectory(string issuer, ScimOptions options, TimeProvider time) : IPeopleDirectory
{
    private const int MaxBytes = 64 * 1024;
    private const string ById = "id";
    private const string ListSchema = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
    private const string ErrorSchema = "urn:ietf:params:scim:api:messages:2.0:Error";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public string Issuer => issuer;

    public TimeSpan Every => options.Every;

    public int MaxGone => options.MaxGone;

    public async ValueTask<DirectoryAnswer> FindAsync(string subject, CancellationToken cancellationToken)
    {
        if (subject is "." or "..")
        {
            // As a path's last segment it would name another resource.
            return new DirectoryAnswer.Unknown("no user can have this subject as its id");
        }

        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var (status, body) = await GetAsync(subject, either.Token);
            return Judge(status, body, subject);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && Says(e) is { } why)
        {
            return new DirectoryAnswer.Unknown(why);
        }
    }

    private bool IsById => string.Equals(options.Attribute, ById, StringComparison.OrdinalIgnoreCase);

    private Uri AddressOf(string subject)
    {
        var users = $"{options.Url.TrimEnd('/')}/Users";
        if (IsById)
        {
            return new($"{users}/{Uri.EscapeDataString(subject)}");
        }

        var value = JsonEncodedText.Encode(subject, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        return new($"{users}?filter={Uri.EscapeDataString($"{options.Attribute} eq \"{value}\"")}&count=2");
    }

    private async ValueTask<(HttpStatusCode Status, byte[] Body)> GetAsync(
        string subject,
        CancellationToken cancellationToken
    )
    {
        using var client = CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, AddressOf(subject));
        request.Headers.Authorization = new(
            "Bearer",
            await KeyFile.ReadTokenAsync(options.TokenFile, cancellationToken)
        );
        request.Headers.Accept.Add(new("application/scim+json"));
        request.Headers.Accept.Add(new("application/json"));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("CredBroker", null));
        using var response = await client.SendAsync(request, cancellationToken);
        return (response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellationToken));
    }

    private DirectoryAnswer Judge(HttpStatusCode status, byte[] body, string subject)
    {
        var isNotFound = status == HttpStatusCode.NotFound && IsById;
        if (status != HttpStatusCode.OK && !isNotFound)
        {
            return new DirectoryAnswer.Unknown($"it answered {(int)status}");
        }

        if (!StrictJson.TryReadObject(body, out var document))
        {
            return new DirectoryAnswer.Unknown($"it answered {(int)status} with what is no JSON object");
        }

        using (document)
        {
            var answer = document.RootElement;
            if (isNotFound)
            {
                // A proxy's or another server's 404 says nothing about a user.
                return Is(answer, ErrorSchema)
                    ? new DirectoryAnswer.Gone("directory: not known", IsFound: false)
                    : new DirectoryAnswer.Unknown("it answered 404, but not in SCIM's words");
            }

            return IsById ? OfUser(answer, subject) : OfList(answer, subject);
        }
    }

    private DirectoryAnswer OfList(JsonElement list, string subject)
    {
        if (
            !Is(list, ListSchema)
            || Member(list, "totalResults") is not { ValueKind: JsonValueKind.Number } total
            || !total.TryGetInt32(out var count)
        )
        {
            return new DirectoryAnswer.Unknown("it answered 200, but not with a list of SCIM's");
        }

        var users = Member(list, "Resources") is { ValueKind: JsonValueKind.Array } resources
            ? resources.EnumerateArray().ToList()
            : [];
        return (count, users) switch
        {
            (0, []) => new DirectoryAnswer.Gone("directory: not known", IsFound: false),
            (1, [var only]) => OfUser(only, subject),
            (0 or 1, _) => new DirectoryAnswer.Unknown("its list has another number of users than it says"),
            _ => new DirectoryAnswer.Unknown($"it has {count} users with this {options.Attribute}"),
        };
    }

    /// <summary>The user that was asked for, or a server that takes no filter and answers with any.</summary>
    private DirectoryAnswer OfUser(JsonElement user, string subject)
    {
        // By RFC 7643 these two are compared as they are, and others may be spelled in another case.
        var isExact = IsById || string.Equals(options.Attribute, "externalId", StringComparison.OrdinalIgnoreCase);
        if (
            Member(user, options.Attribute) is not { ValueKind: JsonValueKind.String } value
            || !string.Equals(
                value.GetString(),
                subject,
                isExact ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase
            )
        )
        {
            return new DirectoryAnswer.Unknown("it answered with another user than it was asked for");
        }

        return Member(user, "active") switch
        {
            null or { ValueKind: JsonValueKind.True } => new DirectoryAnswer.Present(),
            { ValueKind: JsonValueKind.False } => new DirectoryAnswer.Gone("directory: not active", IsFound: true),
            _ => new DirectoryAnswer.Unknown("its active is neither true nor false"),
        };
    }

    private static bool Is(JsonElement message, string schema) =>
        Member(message, "schemas") is { ValueKind: JsonValueKind.Array } schemas
        && schemas
            .EnumerateArray()
            .Any(one =>
                one.ValueKind == JsonValueKind.String
                && string.Equals(one.GetString(), schema, StringComparison.OrdinalIgnoreCase)
            );

    /// <summary>A member by its name in any case, as SCIM has them; null where it is missing, or there twice.</summary>
    private static JsonElement? Member(JsonElement from, string name)
    {
        if (from.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var found = from.EnumerateObject()
            .Where(member => string.Equals(member.Name, name, StringComparison.OrdinalIgnoreCase))
            .Take(2)
            .ToList();
        return found is [var only] ? only.Value : null;
    }

    private HttpClient CreateClient()
    {
        var trust = options.CaFile.Length > 0 ? CertificateAuthorities.TrustOnly(options.CaFile) : null;
        if (trust is { CustomTrustStore.Count: 0 })
        {
            throw new KeyDocumentException($"the file '{options.CaFile}' holds no certificate");
        }

        return new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = !new Uri(options.Url).IsLoopback,
                ActivityHeadersPropagator = null,
                MaxResponseHeadersLength = 16,
                SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust },
            }
        )
        {
            MaxResponseContentBufferSize = MaxBytes,
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    private static string? Says(Exception fault) =>
        fault switch
        {
            KeyDocumentException own => own.Message,
            HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } =>
                $"its answer is larger than {MaxBytes} bytes",
            HttpRequestException { HttpRequestError: var error } => $"it could not be asked ({error})",
            AuthenticationException => "its certificate is not trusted",
            CryptographicException => "a certificate could not be read",
            FileNotFoundException or DirectoryNotFoundException => "a file of its settings does not exist",
            IOException or UnauthorizedAccessException => "a file could not be read, or the connection broke off",
            OperationCanceledException => "it did not answer in time",
            _ => null,
        };
}
