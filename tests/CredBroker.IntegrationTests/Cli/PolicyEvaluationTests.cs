using System.Net;
using System.Text.Json.Nodes;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Server;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>
/// One document and one request have one answer, be it asked of the broker or of the command line offline: the two are
/// written down in two places.
/// </summary>
public sealed class PolicyEvaluationTests : IAsyncLifetime
{
    private const string More = """
          - id: people-first
            effect: challenge
            when: credential.name == "vault-token"
            approval: { approvers: ["group:dbas", "role:approver", { issuer: "https://people.test", subject: ada }], quorum: 2, expiresAfter: 90m, notOwner: true, executor: triage }
          - id: tried-allow
            enforcement: shadow
            effect: allow
            when: agent == "triage" && credential.name == "forbidden"
          - id: tried-challenge
            enforcement: shadow
            effect: challenge
            when: agent == "triage" && credential.name == "shared-key"
            approval: { approvers: ["group:dbas"], expiresAfter: 5m }
          - id: tried-deny
            enforcement: shadow
            effect: deny
            when: agent == "triage"
        limits:
          - { id: fan-out, per: instance, maxActive: 5, maxIssued: { count: 60, per: 1h } }
          - { id: denials, per: workload, maxDenied: { count: 10, per: 5m }, onBreach: { quarantine: instance, for: 15m } }

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("credbroker-evaluate-").FullName;
    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await TestBroker.StartAsync();
        await File.WriteAllTextAsync(_broker.PolicyFile, $"{TestPolicy.Text}\n{More}");
        await _broker.RestartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("billing-readonly", "\"ttl\":\"5m\"", "allow")]
    [InlineData("billing-readonly", "\"ttl\":\"14m\",\"resource\":\"invoices\"", "allow")]
    [InlineData("shared-key", "\"toolCall\":{\"name\":\"query\",\"arguments\":{\"limit\":100}}", "allow")]
    [InlineData("vault-token", "\"ttl\":\"2m\"", "challenge")]
    [InlineData("forbidden", "\"ttl\":\"2m\"", "deny")]
    [InlineData("no-such-credential", "\"ttl\":\"2m\"", "deny")]
    [InlineData("billing-readonly", "\"actions\":[\"drop\"]", "deny")]
    [InlineData("billing-readonly", "\"task\":{\"id\":\"t\",\"process\":\"payments\",\"purpose\":\"x\"}", "deny")]
    [InlineData(
        "billing-readonly",
        "\"identity\":{\"proof\":\"jwt-svid\",\"issuer\":\"spiffe://acme.example\",\"subject\":\"spiffe://acme.example/a\",\"spiffeId\":\"spiffe://acme.example/a\",\"trustDomain\":\"acme.example\",\"claims\":{\"a\":[1]}}",
        "deny"
    )]
    public async Task The_broker_and_the_command_line_say_the_same(string credential, string more, string effect)
    {
        var request = (JsonObject)
            JsonNode.Parse(
                $$"""
                {"identity":{"proof":"oidc","issuer":"https://workloads.test",
                 "subject":"s","workload":"triage","instance":"i"},
                 "task":{"id":"t","process":"invoice-triage","purpose":"x"},
                 "credential":"{{credential}}","actions":["read"]}
                """
            )!;
        foreach (var (name, value) in (JsonObject)JsonNode.Parse($"{{{more}}}")!)
        {
            request[name] = value!.DeepClone();
        }

        var (online, offline) = (await AskAsync(request), await TryAsync(request));

        Assert.Equal(2, (long)online["policyVersion"]!);
        Assert.Equal(effect, (string?)online["effect"]);
        online.Remove("policyVersion");
        offline.Remove("policyVersion");
        Assert.Equal(online.ToJsonString(), offline.ToJsonString());
    }

    [Fact]
    public async Task What_is_compared_holds_a_challenge_limits_and_shadow_rules()
    {
        var answer = await AskAsync(
            (JsonObject)
                JsonNode.Parse(
                    """
                    {"identity":{"proof":"oidc","issuer":"https://workloads.test","subject":"s","workload":"triage"},
                     "task":{"id":"t","process":"invoice-triage","purpose":"x"},
                     "credential":"vault-token","actions":["read"]}
                    """
                )!
        );
        var asked = Assert.Single(answer["approvals"]!.AsArray())!;
        Assert.Equal(
            ("people-first", 2, 3, "triage"),
            (
                (string?)asked["ruleId"],
                (int)asked["quorum"]!,
                asked["approvers"]!.AsArray().Count,
                (string?)asked["executor"]
            )
        );
        Assert.NotEmpty(asked["notBy"]!.AsArray());
        Assert.Equal(["fan-out", "denials"], answer["limits"]!.AsArray().Select(limit => (string?)limit!["id"]));
        Assert.Equal(["tried-deny"], answer["shadow"]!.AsArray().Select(shadow => (string?)shadow!["ruleId"]));
    }

    private async Task<JsonObject> AskAsync(JsonObject request)
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/policy/evaluate",
            _broker.Person("viewer"),
            Api.Json(request.ToJsonString())
        );
        return (JsonObject)JsonNode.Parse((await response.ReadAsync(HttpStatusCode.OK)).GetRawText())!;
    }

    private async Task<JsonObject> TryAsync(JsonObject request)
    {
        var file = Path.Combine(_folder, "request.json");
        await File.WriteAllTextAsync(file, request.ToJsonString());
        var run = await CliRun.RunAsync(
            new Dictionary<string, string>(),
            "policy",
            "evaluate",
            file,
            "--policy",
            _broker.PolicyFile,
            "--output",
            "json"
        );
        Assert.Equal("", run.Error);
        return (JsonObject)JsonNode.Parse(run.Out)!;
    }
}
