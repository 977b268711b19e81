using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CredBroker.Client;
using Microsoft.OpenApi;
using Document = Microsoft.OpenApi.OpenApiDocument;

namespace CredBroker.Server.Endpoints;

/// <summary>
/// What the document says that neither endpoint nor record tells its maker: the error codes, the members of a secret of
/// any shape, examples, and what the groups of addresses are for.
/// </summary>
internal static partial class OpenApiContent
{
    private const string Exchange = "/v1/credentials";

    private static readonly Dictionary<string, string> Tags = new(StringComparer.Ordinal)
    {
        ["Agents"] =
            "What an agent calls with its workload's token: secrets, their renewal and end, and what it asked people for.",
        ["Admins and auditors"] = "What people call with a token of their own and a role.",
        ["AuthZEN"] = "The OpenID AuthZEN Authorization API, and its Access Request and Approval Profile.",
        ["SCIM"] = "By which a directory says who has left (RFC 7644).",
        ["Login"] = "Where people log in; anybody may ask.",
        ["Health"] = "Whether the broker lives, answers and issues; anybody may ask.",
    };

    /// <summary>Completes a document that has its paths and schemas.</summary>
    public static void AddTo(Document document)
    {
        document.Servers = [new() { Url = "/", Description = "The broker that serves this document." }];
        document.Info.License = new() { Name = "Apache-2.0", Identifier = "Apache-2.0" };
        foreach (var tag in document.Tags ?? new HashSet<OpenApiTag>())
        {
            tag.Description = Tags[tag.Name!];
        }

        Reword(document);
        AddCodes(document);
        AddSecrets(document);
        AddExamples(document);
    }

    /// <summary>
    /// Says in JSON's names, on one line, what the records' comments say of each other in C#'s: of
    /// <c>string? ExchangeRequest.ApprovalId</c> the member <c>approvalId</c>.
    /// </summary>
    private static void Reword(Document document)
    {
        foreach (var (name, schema) in document.Components!.Schemas!)
        {
            foreach (var described in (schema.Properties?.Values ?? []).Prepend(schema).OfType<OpenApiSchema>())
            {
                if (described.Description is { } text)
                {
                    described.Description = WebUtility.HtmlDecode(
                        Member().Replace(LineEnd().Replace(text, " "), member => Named(member, name))
                    );
                }
            }
        }

        string Named(Match member, string within)
        {
            var (type, json) = (
                member.Groups["type"].Value,
                JsonNamingPolicy.CamelCase.ConvertName(member.Groups["name"].Value)
            );
            // A record that is none of the document's is the base of one that is.
            return type == within || !document.Components.Schemas.ContainsKey(type)
                ? $"`{json}`"
                : $"`{json}` of {type}";
        }
    }

    [GeneratedRegex(@"[A-Za-z][\w&;<>,]*\?? (?<type>[A-Z]\w+)\.(?<name>[A-Z]\w+)")]
    private static partial Regex Member();

    [GeneratedRegex(@"\s*\n\s*")]
    private static partial Regex LineEnd();

    /// <summary>Every code of the table, and any that a newer broker may answer with.</summary>
    private static void AddCodes(Document document)
    {
        document.AddComponent<IOpenApiSchema>(
            nameof(ErrorCode),
            new OpenApiSchema
            {
                Description =
                    "A stable code; a newer broker may have more.\n\n| code | status | title | next step |\n|---|---|---|---|\n"
                    + string.Concat(
                        ErrorCodes.All.Select(code =>
                            $"| {code.Code} | {code.Status} | {code.Title} | {code.NextStep.Replace("|", "\\|", StringComparison.Ordinal)} |\n"
                        )
                    ),
                AnyOf =
                [
                    new OpenApiSchema
                    {
                        Type = JsonSchemaType.String,
                        Enum = [.. ErrorCodes.All.Select(code => (JsonNode)code.Code)],
                    },
                    new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^CB[0-9]{4}$" },
                ],
            }
        );
        var problem = Schema(document, nameof(ProblemResponse));
        problem.Properties!["code"] = new OpenApiSchemaReference(nameof(ErrorCode), document);
        var code = ErrorCodes.Find("CB2001")!;
        problem.Examples =
        [
            JsonNode.Parse(
                $$"""
                {
                  "type": "urn:credbroker:problem:{{code.Code}}",
                  "title": "{{code.Title}}",
                  "status": {{code.Status}},
                  "detail": "{{code.NextStep}}",
                  "code": "{{code.Code}}",
                  "traceId": "4bf92f3577b34da6a3ce929d0e0e4736"
                }
                """
            )!,
        ];
    }

    /// <summary>What Vault keeps under a path has any members; and each kind of secret names itself.</summary>
    private static void AddSecrets(Document document)
    {
        foreach (var (name, schema) in document.Components!.Schemas!)
        {
            if (
                !name.StartsWith(nameof(SecretResponse), StringComparison.Ordinal) || schema is not OpenApiSchema secret
            )
            {
                continue;
            }

            (secret.Required ??= new HashSet<string>()).Add("type");
            if (secret.Properties?.ContainsKey("data") == true)
            {
                secret.Properties["data"] = Members("Its members, as Vault has them: any JSON value each.");
            }
        }

        Schema(document, nameof(ToolCallDeclaration)).Properties!["arguments"] = Members(
            "Its arguments by name: any JSON value each."
        );
    }

    private static void AddExamples(Document document)
    {
        var exchange = Operation(document, Exchange);
        Content(exchange.RequestBody!).Example = JsonNode.Parse(
            """
            {
              "task": { "id": "task-1", "process": "invoice-triage", "purpose": "sort invoice 42" },
              "credential": "billing-readonly",
              "actions": ["read"],
              "ttl": "10m"
            }
            """
        );
        Content(exchange.Responses!["201"]).Examples = new Dictionary<string, IOpenApiExample>
        {
            ["database"] = Issued(
                "A user made for this lease alone",
                """{ "type": "database", "username": "cb-019abc_ghwa5spf", "password": "(shown once)" }"""
            ),
            ["kv"] = Issued("A static value", """{ "type": "kv", "data": { "key": "(shown once)" } }"""),
        };
        Content(exchange.Responses["202"]).Example = JsonNode.Parse(
            """
            {
              "approvalId": "019abc2e-7d53-7c4b-9a53-0f4f5d3c8e11",
              "interval": "5s",
              "expiresAt": "2026-01-31T12:30:00Z",
              "digest": "sha256:9c5f36287c673f386e1533e9c044169a248e4ee50dd54810fa766e95bd41b788"
            }
            """
        );
        Content(Operation(document, "/v1/revocations").RequestBody!).Example = JsonNode.Parse(
            """{ "agent": "triage", "reason": "its host was taken over", "hold": "2h" }"""
        );
    }

    private static OpenApiExample Issued(string summary, string secret) =>
        new()
        {
            Summary = summary,
            Value = JsonNode.Parse(
                $$"""
                {
                  "leaseId": "019abc2e-7d53-7c4b-9a53-0f4f5d3c8e10",
                  "secret": {{secret}},
                  "expiresAt": "2026-01-31T12:10:00Z",
                  "decision": { "id": "019abc2e-7d53-7c4b-9a53-0f4f5d3c8e0f", "policyVersion": 7 }
                }
                """
            ),
        };

    private static OpenApiSchema Members(string description) =>
        new()
        {
            Type = JsonSchemaType.Object,
            AdditionalProperties = new OpenApiSchema(),
            Description = description,
        };

    private static OpenApiSchema Schema(Document document, string name) =>
        (OpenApiSchema)document.Components!.Schemas![name];

    private static OpenApiOperation Operation(Document document, string path) =>
        document.Paths[path].Operations![HttpMethod.Post];

    private static OpenApiMediaType Content(IOpenApiRequestBody body) =>
        (OpenApiMediaType)body.Content!["application/json"];

    private static OpenApiMediaType Content(IOpenApiResponse response) =>
        (OpenApiMediaType)response.Content!["application/json"];
}
