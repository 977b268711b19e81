using System.Net.Http.Headers;
using System.Text.Json;
using CredBroker.Core.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// The bare floor: the least that an exchange with these guarantees can be made of. Kestrel, a JWT validated with
/// cached keys, two calls to Vault, two durable writes by group commit with a hash-chained audit row each. No policy,
/// no fence, no strict input, no recovery, no revocation.
/// </summary>
internal sealed class BareBroker : IDisposable
{
    private readonly BareStore _store;
    private readonly HttpClient _vault;
    private readonly JsonWebTokenHandler _handler = new();
    private readonly TokenValidationParameters _rules;

    private BareBroker(BareStore store, int vaultPort, string jwks)
    {
        _store = store;
        _vault = new HttpClient(
            new SocketsHttpHandler
            {
                UseProxy = false,
                UseCookies = false,
                AllowAutoRedirect = false,
                MaxConnectionsPerServer = 256,
            }
        )
        {
            BaseAddress = new Uri($"http://127.0.0.1:{vaultPort}"),
        };
        _rules = new TokenValidationParameters
        {
            ValidIssuer = Agents.Issuer,
            ValidAudience = Agents.Audience,
            IssuerSigningKeys = new JsonWebKeySet(jwks).GetSigningKeys(),
            ValidAlgorithms = [SecurityAlgorithms.RsaSha256],
        };
    }

    /// <summary>Serves until the process is killed.</summary>
    public static async Task<int> RunAsync(int port, int vaultPort, string jwksFile, params string[] store)
    {
        using var broker = new BareBroker(BareStore.Open(store), vaultPort, await File.ReadAllTextAsync(jwksFile));
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port));
        await using var app = builder.Build();
        app.MapPost("/v1/credentials", broker.ExchangeAsync);
        await app.RunAsync();
        return 0;
    }

    public void Dispose()
    {
        _vault.Dispose();
        _store.Dispose();
    }

    private async Task ExchangeAsync(HttpContext context)
    {
        var aborted = context.RequestAborted;
        var request = (
            await JsonSerializer.DeserializeAsync(context.Request.Body, BareJson.Default.BareRequest, aborted)
        )!;
        var token = context.Request.Headers.Authorization.ToString()["Bearer ".Length..];
        var validated = await _handler.ValidateTokenAsync(token, _rules);
        if (!validated.IsValid)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        var now = TimeProvider.System.GetUtcNow();
        var lease = new BareLease(
            Ids.New(TimeProvider.System),
            validated.SecurityToken.Issuer,
            ((JsonWebToken)validated.SecurityToken).Subject,
            request,
            now,
            now.AddMinutes(10)
        );

        var metadata = new Dictionary<string, string>
        {
            ["lease"] = lease.Id,
            ["task"] = request.Task.Id,
            ["process"] = request.Task.Process,
        };
        var create = JsonSerializer.SerializeToUtf8Bytes(
            new BareTokenRequest("630s", "cb-" + lease.Id, metadata),
            BareJson.Default.BareTokenRequest
        );
        var child = await CallAsync(
            HttpMethod.Post,
            "/v1/auth/token/create/cb-bench-reports",
            "hvs.own",
            create,
            aborted
        );
        await _store.CommitAsync(
            new(
                lease.Id,
                "pending",
                JsonSerializer.SerializeToUtf8Bytes(lease, BareJson.Default.BareLease),
                child.Auth!.Accessor
            ),
            "request.allowed"
        );

        var secret = await CallAsync(
            HttpMethod.Get,
            "/v1/database/creds/cb-bench-reports",
            child.Auth.ClientToken,
            null,
            aborted
        );
        await _store.CommitAsync(
            new(
                lease.Id,
                "active",
                JsonSerializer.SerializeToUtf8Bytes(lease, BareJson.Default.BareLease),
                secret.LeaseId!
            ),
            "lease.issued"
        );

        context.Response.StatusCode = StatusCodes.Status201Created;
        context.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(
            context.Response.Body,
            new BareResponse(lease.Id, secret.Data, lease.ExpiresAt),
            BareJson.Default.BareResponse,
            aborted
        );
    }

    private async Task<BareVaultReply> CallAsync(
        HttpMethod method,
        string path,
        string token,
        byte[]? body,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("X-Vault-Token", token);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        using var response = await _vault.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        return JsonSerializer.Deserialize(
            await response.Content.ReadAsByteArrayAsync(cancellationToken),
            BareJson.Default.BareVaultReply
        )!;
    }
}
