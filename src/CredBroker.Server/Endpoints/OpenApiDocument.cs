using System.Text.Json.Serialization;
using CredBroker.Client;
using CredBroker.Server.Endpoints.Access;
using CredBroker.Server.Endpoints.Callers;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace CredBroker.Server.Endpoints;

/// <summary>
/// <c>/openapi/v1.json</c>: made from the running endpoints and the wire records, so that it cannot drift from them.
/// </summary>
internal static class OpenApiDocument
{
    private const string Name = "v1";
    private const string Workload = "workloadToken";
    private const string Person = "personToken";

    public static void AddBrokerOpenApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, BrokerJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Insert(1, AccessJson.Default);
            // As requests are read and replies written: a number is no text.
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        services.AddOpenApi(
            Name,
            options =>
            {
                options.AddDocumentTransformer(
                    (document, _, _) =>
                    {
                        document.Info = new()
                        {
                            Title = "CredBroker",
                            Version = "v1",
                            Description =
                                "Just-in-time, short-lived credentials for AI agents. "
                                + "A GET never mints and never changes anything.",
                        };
                        document.AddComponent(
                            Workload,
                            Bearer(
                                "A workload's identity token: "
                                    + "an OIDC token of a configured issuer, or a SPIFFE JWT-SVID."
                            )
                        );
                        document.AddComponent(
                            Person,
                            Bearer("A person's token of an issuer that is configured for people, with a role.")
                        );
                        OpenApiContent.AddTo(document);
                        return Task.CompletedTask;
                    }
                );
                options.AddSchemaTransformer(
                    (schema, context, _) =>
                    {
                        if (
                            context.JsonTypeInfo.Type == typeof(TimeSpan)
                            || context.JsonTypeInfo.Type == typeof(TimeSpan?)
                        )
                        {
                            (schema.Type, schema.Format, schema.Pattern, schema.Description) = (
                                JsonSchemaType.String,
                                null,
                                WireDuration.Pattern,
                                "A duration, such as 90s, 10m or 2h."
                            );
                        }

                        // Requests are read strictly; replies may gain members.
                        if (
                            context.JsonTypeInfo.Type is { IsClass: true } type
                            && type.Assembly == typeof(BrokerJson).Assembly
                            && IsSent(type.Name)
                        )
                        {
                            schema.AdditionalPropertiesAllowed = false;
                        }

                        return Task.CompletedTask;
                    }
                );
                options.AddOperationTransformer(
                    (operation, context, _) =>
                    {
                        var declared = context
                            .Description.ActionDescriptor.EndpointMetadata.OfType<CalledBy>()
                            .LastOrDefault();
                        operation.Security =
                        [
                            .. Schemes(declared?.Caller)
                                .Select(scheme => new OpenApiSecurityRequirement
                                {
                                    [new OpenApiSecuritySchemeReference(scheme, context.Document)] = [],
                                }),
                        ];
                        return Task.CompletedTask;
                    }
                );
            }
        );
    }

    /// <summary>
    /// Made once, when it is first asked for: anybody may ask, and making it costs as much as a hundred exchanges.
    /// </summary>
    public static void MapBrokerOpenApi(this IEndpointRouteBuilder routes)
    {
        var document = new Lazy<Task<byte[]>>(() => MakeAsync(routes.ServiceProvider));
        routes
            .MapGet(
                "/openapi/v1.json",
                async (HttpContext http) =>
                {
                    var bytes = await document.Value;
                    http.Response.ContentType = "application/json;charset=utf-8";
                    http.Response.ContentLength = bytes.Length;
                    await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
                }
            )
            .ExcludeFromDescription()
            .CalledBy(Caller.Anyone);
    }

    private static async Task<byte[]> MakeAsync(IServiceProvider services)
    {
        var provider = services.GetRequiredKeyedService<IOpenApiDocumentProvider>(Name);
        var document = await provider.GetOpenApiDocumentAsync(CancellationToken.None);
        using var bytes = new MemoryStream();
        await document.SerializeAsJsonAsync(bytes, OpenApiSpecVersion.OpenApi3_1, CancellationToken.None);
        return bytes.ToArray();
    }

    private static IReadOnlyList<string> Schemes(Caller? caller) =>
        caller switch
        {
            Caller.Agent => [Workload],
            Caller.Person => [Person],
            Caller.AgentOrPerson => [Workload, Person],
            _ => [],
        };

    private static bool IsSent(string record) =>
        record.EndsWith("Request", StringComparison.Ordinal) || record is nameof(EvaluateIdentity);

    private static OpenApiSecurityScheme Bearer(string description) =>
        new()
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            BearerFormat = "JWT",
            Description = description,
        };
}
