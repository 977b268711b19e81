using System.Buffers;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Values;
using Microsoft.AspNetCore.Http;

namespace CredBroker.Dev.Vault.Http;

/// <summary>Vault's HTTP form: reads requests, writes replies.</summary>
internal sealed class DevVaultHttp(DevVaultKernel kernel)
{
    private const string Prefix = "/v1/";
    private const string MergePatch = "application/merge-patch+json";

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

        var unread = DevVaultDuration.Fault(http.Headers["X-Vault-Wrap-TTL"].ToString(), out var wrapTtl);
        if (unread is not null || wrapTtl < TimeSpan.Zero)
        {
            return DevVaultReply.Error(
                400,
                [$"error parsing X-Vault-Wrap-TTL header: {unread ?? "requested wrap ttl cannot be negative"}"]
            );
        }

        if (HttpMethods.IsPatch(http.Method) && http.GetTypedHeaders().ContentType?.MediaType.Value != MergePatch)
        {
            return DevVaultReply.Error(
                415,
                [$"PATCH requires Content-Type of {MergePatch}, provided {http.ContentType}"]
            );
        }

        var query = http.Query.ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.Ordinal);
        var listing = HttpMethods.IsGet(http.Method) && query.GetValueOrDefault("list") == "true";
        var request = new DevVaultRequest(
            listing ? "LIST" : http.Method,
            path[Prefix.Length..],
            Token(http),
            query,
            [],
            wrapTtl,
            http.HttpContext.Connection.RemoteIpAddress ?? IPAddress.None
        );
        try
        {
            return kernel.Answer(request.HasBody ? request with { Body = await BodyAsync(http) } : request);
        }
        catch (BadHttpRequestException fault)
        {
            return DevVaultReply.Error(fault.StatusCode, [Undecoded("http: request body too large")]);
        }
        catch (DevVaultRefusal refusal)
        {
            return DevVaultReply.Error(refusal.Status, refusal.Errors);
        }
    }

    /// <summary>The body: an object, or nothing, for which null and blanks stand too.</summary>
    /// <exception cref="DevVaultRefusal">It is something else.</exception>
    private static async Task<JsonObject> BodyAsync(HttpRequest http)
    {
        using var bytes = new MemoryStream();
        await http.Body.CopyToAsync(bytes, http.HttpContext.RequestAborted);
        var text = bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
        if (!text.Span.ContainsAnyExcept(" \t\r\n"u8))
        {
            return [];
        }

        try
        {
            var node = JsonNode.Parse(
                text.Span,
                documentOptions: new JsonDocumentOptions
                {
                    MaxDepth = DevVaultBounds.JsonDepth,
                    AllowDuplicateProperties = false,
                }
            );
            ReadThrough(node);
            return node switch
            {
                null => [],
                JsonObject map => map,
                JsonArray => throw NoObject("array"),
                _ => throw NoObject(
                    node.GetValueKind() switch
                    {
                        JsonValueKind.Number => "number",
                        JsonValueKind.String => "string",
                        _ => "bool",
                    }
                ),
            };
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw new DevVaultRefusal(400, Undecoded(IsCut(text.Span) ? "unexpected EOF" : fault.Message));
        }
    }

    private static DevVaultRefusal NoObject(string kind) =>
        new(400, Undecoded($"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"));

    private static string Undecoded(string fault) => $"failed to decode JSON input: {fault}";

    /// <summary>Whether nothing is wrong with it but that it ends too early.</summary>
    private static bool IsCut(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(
            text,
            isFinalBlock: false,
            new JsonReaderState(new() { MaxDepth = DevVaultBounds.JsonDepth })
        );
        try
        {
            while (reader.Read()) { }

            return reader.CurrentDepth > 0
                || reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray
                || reader.BytesConsumed < text.Length;
        }
        catch (JsonException)
        {
            return false;
        }
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
