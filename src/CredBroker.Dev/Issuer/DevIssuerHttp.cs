using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace CredBroker.Dev.Issuer;

/// <summary>The dev issuer's HTTP: discovery, keys, and RFC 6749's client credentials without a secret.</summary>
internal sealed partial class DevIssuerHttp(DevTokenMint mint)
{
    private static readonly TimeSpan DefaultLife = TimeSpan.FromMinutes(15);

    /// <summary>Answers one HTTP request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (!LoopbackServer.IsOwnName(request.Host))
        {
            response.StatusCode = StatusCodes.Status421MisdirectedRequest;
            return;
        }

        switch (request.Method, request.Path.Value)
        {
            case ("GET", "/.well-known/openid-configuration"):
                await WriteAsync(response, StatusCodes.Status200OK, WriteDiscovery);
                break;
            case ("GET", "/jwks"):
                await WriteAsync(response, StatusCodes.Status200OK, mint.WriteJwks);
                break;
            case ("POST", "/token"):
                await TokenAsync(request, response);
                break;
            default:
                response.StatusCode = request.Path.Value is "/token" or "/jwks"
                    ? StatusCodes.Status405MethodNotAllowed
                    : StatusCodes.Status404NotFound;
                break;
        }
    }

    /// <summary>
    /// <c>grant_type=client_credentials</c> with <c>agent</c> and <c>instance</c>, or with <c>person</c>;
    /// <c>expires_in</c> in seconds may shorten the token's life. There is no client secret: whoever reaches this port
    /// may be anybody, which is why a broker trusts it in dev mode alone.
    /// </summary>
    private async Task TokenAsync(HttpRequest request, HttpResponse response)
    {
        if (!request.HasFormContentType)
        {
            await RefuseAsync(response, "invalid_request", "send a form (application/x-www-form-urlencoded)");
            return;
        }

        IFormCollection form;
        try
        {
            form = await request.ReadFormAsync(request.HttpContext.RequestAborted);
        }
        catch (Exception fault) when (fault is InvalidDataException or BadHttpRequestException)
        {
            await RefuseAsync(response, "invalid_request", "the form cannot be read");
            return;
        }

        var (agent, instance, named) = (
            form["agent"].ToString(),
            form["instance"].ToString(),
            form["person"].ToString()
        );
        var life = DefaultLife;
        if (form["expires_in"].ToString() is { Length: > 0 } wish)
        {
            if (
                !int.TryParse(wish, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                || seconds < 1
                || seconds > DevTokenMint.MaxLife.TotalSeconds
            )
            {
                await RefuseAsync(
                    response,
                    "invalid_request",
                    $"expires_in is a number of seconds from 1 to {DevTokenMint.MaxLife.TotalSeconds}"
                );
                return;
            }

            life = TimeSpan.FromSeconds(seconds);
        }

        if (form["grant_type"] != "client_credentials")
        {
            await RefuseAsync(response, "unsupported_grant_type", "write grant_type=client_credentials");
        }
        else if (
            named.Length > 0
            && agent.Length == 0
            && DevPerson.All.FirstOrDefault(person => person.Name == named) is { } person
        )
        {
            await GiveAsync(response, mint.ForPerson(person, life), life);
        }
        else if (named.Length == 0 && Name().IsMatch(agent) && Name().IsMatch(instance.Length == 0 ? agent : instance))
        {
            await GiveAsync(response, mint.ForAgent(agent, instance.Length == 0 ? $"{agent}-1" : instance, life), life);
        }
        else
        {
            await RefuseAsync(
                response,
                "invalid_client",
                "write agent=NAME&instance=NAME (letters, digits, hyphens), "
                    + $"or person={string.Join('|', DevPerson.All.Select(known => known.Name))}"
            );
        }
    }

    private static Task GiveAsync(HttpResponse response, string token, TimeSpan life) =>
        WriteAsync(
            response,
            StatusCodes.Status200OK,
            json =>
            {
                json.WriteStartObject();
                json.WriteString("access_token", token);
                json.WriteString("token_type", "Bearer");
                json.WriteNumber("expires_in", (long)life.TotalSeconds);
                json.WriteEndObject();
            }
        );

    private static Task RefuseAsync(HttpResponse response, string error, string description) =>
        WriteAsync(
            response,
            StatusCodes.Status400BadRequest,
            json =>
            {
                json.WriteStartObject();
                json.WriteString("error", error);
                json.WriteString("error_description", description);
                json.WriteEndObject();
            }
        );

    private void WriteDiscovery(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("issuer", mint.Issuer);
        json.WriteString("jwks_uri", $"{mint.Issuer}/jwks");
        json.WriteString("token_endpoint", $"{mint.Issuer}/token");
        WriteList("response_types_supported", "token");
        WriteList("subject_types_supported", "public");
        WriteList("id_token_signing_alg_values_supported", "ES256");
        WriteList("grant_types_supported", "client_credentials");
        WriteList("token_endpoint_auth_methods_supported", "none");
        json.WriteEndObject();

        void WriteList(string name, string value)
        {
            json.WriteStartArray(name);
            json.WriteStringValue(value);
            json.WriteEndArray();
        }
    }

    private static async Task WriteAsync(HttpResponse response, int status, Action<Utf8JsonWriter> write)
    {
        var body = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(body))
        {
            write(json);
        }

        response.StatusCode = status;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        response.ContentLength = body.WrittenCount;
        await response.Body.WriteAsync(body.WrittenMemory, response.HttpContext.RequestAborted);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\z", RegexOptions.NonBacktracking)]
    private static partial Regex Name();
}
