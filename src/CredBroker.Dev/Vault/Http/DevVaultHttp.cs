using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Values;
using Microsoft.AspNetCore.Http;

namespace CredBroker.Dev.Vault.Http;

/// <summary>Vault's HTTP form: reads requests, writes replies.</summary>
internal sealed class DevVaultHttp(DevVaultKernel kernel)
{
    private const string Prefix = "/v1/";

    /// <summary>Answers one HTTP request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var reply = await AnswerAsync(context.Request);
        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = reply.ContentType;
        context.Response.Headers.CacheControl = "no-store";
        if (reply.Status == StatusCodes.Status204NoContent || HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        if (reply.Raw is not null)
        {
            await context.Response.Body.WriteAsync(reply.Raw, context.RequestAborted);
            return;
        }

        var body = new ArrayBufferWriter<byte>();
        await using (var writer = new Utf8JsonWriter(body))
        {
            reply.ToJson().WriteTo(writer);
        }

        body.Write("\n"u8);
        context.Response.ContentLength = body.WrittenCount;
        await context.Response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    private async Task<DevVaultReply> AnswerAsync(HttpRequest http)
    {
        if (!LoopbackServer.IsOwnName(http.Host))
        {
            return DevVaultReply.Error(421, ["this development Vault answers on loopback names only"]);
        }

        if (!http.Path.StartsWithSegments("/v1") || http.Path.Value is not { } path || path.Length < Prefix.Length)
        {
            return DevVaultReply.Error(404, []);
        }

        JsonObject body = [];
        if (http.ContentLength is not (null or 0) || http.Headers.TransferEncoding.Count > 0)
        {
            try
            {
                if (
                    await JsonNode.ParseAsync(
                        http.Body,
                        documentOptions: new JsonDocumentOptions
                        {
                            MaxDepth = DevVaultBounds.JsonDepth,
                            AllowDuplicateProperties = false,
                        },
                        cancellationToken: http.HttpContext.RequestAborted
                    )
                    is not JsonObject read
                )
                {
                    return DevVaultReply.Error(400, ["failed to decode JSON input: the body is no JSON object"]);
                }

                ReadThrough(read);
                body = read;
            }
            catch (Exception fault) when (fault is JsonException or InvalidOperationException)
            {
                return DevVaultReply.Error(400, [$"failed to decode JSON input: {fault.Message}"]);
            }
            catch (BadHttpRequestException fault)
            {
                return DevVaultReply.Error(
                    fault.StatusCode,
                    ["failed to decode JSON input: http: request body too large"]
                );
            }
        }

        var query = http.Query.ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.Ordinal);
        var listing = HttpMethods.IsGet(http.Method) && query.GetValueOrDefault("list") == "true";
        return kernel.Answer(
            new DevVaultRequest(
                listing ? "LIST" : http.Method,
                path[Prefix.Length..],
                Token(http),
                query,
                body,
                http.Headers["X-Vault-Wrap-TTL"].ToString()
            )
        );
    }

    /// <summary>
    /// Reads every text once, because they are decoded at their first use: a lone surrogate is a fault of the body,
    /// found here.
    /// </summary>
    private static void ReadThrough(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                foreach (var (_, member) in map)
                {
                    ReadThrough(member);
                }

                break;
            case JsonArray list:
                foreach (var item in list)
                {
                    ReadThrough(item);
                }

                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                value.GetValue<string>();
                break;
        }
    }

    private static string Token(HttpRequest http)
    {
        if (http.Headers["X-Vault-Token"].ToString() is { Length: > 0 } token)
        {
            return token;
        }

        const string Scheme = "Bearer ";
        var authorization = http.Headers.Authorization.ToString();
        return authorization.StartsWith(Scheme, StringComparison.Ordinal) ? authorization[Scheme.Length..] : "";
    }
}
