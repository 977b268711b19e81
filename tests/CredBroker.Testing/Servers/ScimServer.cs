using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CredBroker.Testing.Servers;

/// <summary>
/// A directory that speaks what SCIM 2.0 has for one user: by its id, or by <c>externalId eq "…"</c>; on loopback.
/// </summary>
internal sealed class ScimServer : IAsyncDisposable
{
    public const string Token = "directory-token";
    private const string Messages = "urn:ietf:params:scim:api:messages:2.0:";
    private readonly WebApplication _application;

    private ScimServer(WebApplication application) => _application = application;

    public string Url => $"{_application.Urls.Single()}/scim/v2";

    /// <summary>Who is there, by id and by externalId, and whether they are active.</summary>
    public ConcurrentDictionary<string, bool> Users { get; } = [];

    /// <summary>Of whom it answers 400, as to an id in a form that it does not take.</summary>
    public HashSet<string> Refused { get; } = [];

    /// <summary>What was asked.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    /// <summary>Answers instead of the directory.</summary>
    public Func<HttpContext, Task>? Answer { get; set; }

    public static async Task<ScimServer> StartAsync(params string[] users)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var server = new ScimServer(builder.Build());
        foreach (var user in users)
        {
            server.Users[user] = true;
        }

        server._application.Run(server.HandleAsync);
        await server._application.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    /// <summary>A list with these users.</summary>
    public static string List(int total, params JsonNode[] users) =>
        new JsonObject
        {
            ["schemas"] = new JsonArray($"{Messages}ListResponse"),
            ["totalResults"] = total,
            ["Resources"] = new JsonArray(users),
        }.ToJsonString();

    /// <summary>A user.</summary>
    public static JsonObject User(string id, bool active = true) =>
        new()
        {
            ["schemas"] = new JsonArray("urn:ietf:params:scim:schemas:core:2.0:User"),
            ["id"] = id,
            ["externalId"] = id,
            ["userName"] = id,
            ["active"] = active,
        };

    private async Task HandleAsync(HttpContext http)
    {
        Asked.Enqueue(http.Request.Path + Uri.UnescapeDataString(http.Request.QueryString.Value ?? ""));
        if (http.Request.Headers.Authorization != $"Bearer {Token}")
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        if (Answer is { } answer)
        {
            await answer(http);
            return;
        }

        http.Response.ContentType = "application/scim+json";
        if (http.Request.Query["filter"].ToString() is { Length: > 0 } filter)
        {
            var subject = JsonNode.Parse(filter["externalId eq ".Length..])!.GetValue<string>();
            if (Refused.Contains(subject))
            {
                http.Response.StatusCode = StatusCodes.Status400BadRequest;
                return;
            }

            await http.Response.WriteAsync(
                Users.TryGetValue(subject, out var listed) ? List(1, User(subject, listed)) : List(0)
            );
            return;
        }

        var id = http.Request.Path.Value!["/scim/v2/Users/".Length..];
        if (Users.TryGetValue(id, out var active))
        {
            await http.Response.WriteAsync(User(id, active).ToJsonString());
            return;
        }

        http.Response.StatusCode = StatusCodes.Status404NotFound;
        await http.Response.WriteAsync(
            new JsonObject { ["schemas"] = new JsonArray($"{Messages}Error"), ["status"] = "404" }.ToJsonString()
        );
    }
}
