using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace CredBroker.IntegrationTests.Server;

/// <summary>
/// "Callback Completion" of the AuthZEN Access Request and Approval Profile 1.0, Draft 1, over the wire. The table of its
/// MUSTs in <c>.github/docs/authzen.md</c> names these tests.
/// </summary>
public sealed class AccessCallbackApiTests : IAsyncLifetime
{
    private const string Requests = "/access/v1/requests";
    private const string State = """{"flow":  7.10, "é":["\u00e9",null]}""";
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly string _secret = Path.GetTempFileName();
    private readonly ConcurrentQueue<(string Path, IReadOnlyDictionary<string, string> Headers, string Body)> _calls =
    [];
    private WebApplication _receiver = null!;
    private TestBroker _broker = null!;

    private string Mine => $"{_receiver.Urls.Single()}/mine";

    private string Others => $"{_receiver.Urls.Single()}/others";

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_secret, $"whsec_{Convert.ToBase64String(_key)}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _receiver = builder.Build();
        _receiver.Run(async http =>
        {
            using var body = new StreamReader(http.Request.Body);
            _calls.Enqueue(
                (
                    http.Request.Path.Value!,
                    http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString()),
                    await body.ReadToEndAsync()
                )
            );
        });
        await _receiver.StartAsync();
        var settings = new Dictionary<string, string?> { ["Identity:Issuers:1:GroupsClaim"] = "groups" };
        foreach (
            var (place, name, url, workload) in new[] { (0, "mine", Mine, "triage"), (1, "others", Others, "payer") }
        )
        {
            var path = $"Notifications:Callbacks:{place}";
            settings[$"{path}:Name"] = name;
            settings[$"{path}:Url"] = url;
            settings[$"{path}:SecretFile"] = _secret;
            settings[$"{path}:AllowPrivateAddress"] = "true";
            settings[$"{path}:StatusAddress"] = "https://broker.acme.example:8443";
            settings[$"{path}:Callers:0:Issuer"] = "https://workloads.test";
            settings[$"{path}:Callers:0:Workload"] = workload;
        }

        _broker = await TestBroker.StartAsync(
            settings,
            TestPolicy.Text.Replace(
                "effect: allow",
                "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m }",
                StringComparison.Ordinal
            )
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _receiver.DisposeAsync();
        File.Delete(_secret);
    }

    [Fact]
    public async Task Who_submitted_is_told_signed_what_became_of_it_and_gets_its_state_back_unread()
    {
        var id = await SubmitAsync($$"""{"endpoint":"{{Mine}}","state":{{State}}}""");
        await ApproveAsync(id);
        var (path, headers, body) = await CallAsync();
        Assert.Equal("/mine", path);
        var signed = Encoding.UTF8.GetBytes($"{headers["webhook-id"]}.{headers["webhook-timestamp"]}.{body}");
        Assert.Equal($"v1,{Convert.ToBase64String(HMACSHA256.HashData(_key, signed))}", headers["webhook-signature"]);

        using var told = JsonDocument.Parse(body);
        Assert.Equal(["state", "task"], told.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.Equal(State, told.RootElement.GetProperty("state").GetRawText());
        var task = told.RootElement.GetProperty("task");
        Assert.Equal(
            ["id", "status", "status_endpoint", "expires_at"],
            task.EnumerateObject().Select(member => member.Name)
        );
        Assert.Equal(
            (id, "approved", $"https://broker.acme.example:8443{Requests}/{id}"),
            (
                task.GetProperty("id").GetString(),
                task.GetProperty("status").GetString(),
                task.GetProperty("status_endpoint").GetString()
            )
        );

        // It is a message and no more: the status is still asked for where it stands.
        using var look = await _broker.SendAsync(HttpMethod.Get, $"{Requests}/{id}", _broker.Agent());
        var found = await look.ReadAsync(HttpStatusCode.OK);
        Assert.Equal(
            task.GetProperty("expires_at").GetString(),
            found.GetProperty("task").GetProperty("expires_at").GetString()
        );
        Assert.True(found.TryGetProperty("result", out _));
        Assert.Empty(_broker.Vault.Live);
    }

    [Fact]
    public async Task Only_an_address_of_the_settings_that_the_caller_may_name_is_taken_and_nobody_else_is_called()
    {
        var denied = await EvaluateAsync();
        foreach (
            var endpoint in new[]
            {
                Others,
                $"{Mine}/",
                $"{Mine}?x=1",
                Mine.ToUpperInvariant(),
                Mine.Replace("http:", "https:", StringComparison.Ordinal),
                "http://169.254.169.254/",
                "https://agents.example/",
                "",
            }
        )
        {
            using var refused = await PostAsync(Requests, Submission(denied, $$"""{"endpoint":"{{endpoint}}"}"""));
            var problem = await refused.ReadProblemAsync("CB6003");
            Assert.Contains("callback.endpoint", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        using (var none = await PostAsync(Requests, Submission(denied, "{}")))
        {
            await none.ReadProblemAsync("CB6003");
        }

        var state = $"\"{new string('x', 1024)}\"";
        using (
            var long_ = await PostAsync(Requests, Submission(denied, $$"""{"endpoint":"{{Mine}}","state":{{state}}}"""))
        )
        {
            await long_.ReadProblemAsync("CB6003");
        }

        // The denial is not used up by any of it.
        using var taken = await PostAsync(Requests, Submission(denied, $$"""{"endpoint":"{{Mine}}"}"""));
        await taken.ReadAsync(HttpStatusCode.Accepted);
        Assert.Empty(_calls);
    }

    [Fact]
    public async Task Only_the_events_that_were_asked_for_are_told_and_names_that_nobody_knows_ignored()
    {
        await SubmitAsync($$"""{"endpoint":"{{Mine}}","events":["failed","partial","made-up"]}""", "invoice-1");
        var first = await SubmitAsync(
            $$"""{"endpoint":"{{Mine}}","events":["denied","cancelled","made-up",null],"x":1}""",
            "invoice-2"
        );
        foreach (var id in await OpenAsync())
        {
            await ApproveAsync(id);
        }

        using (
            var order = await PostAsync(
                "/v1/revocations",
                """{"agent":"triage","reason":"look","allowNone":true}""",
                _broker.Person("admin")
            )
        )
        {
            await order.ReadAsync(HttpStatusCode.Accepted);
        }

        var (_, _, body) = await CallAsync();
        using var told = JsonDocument.Parse(body);
        Assert.False(told.RootElement.TryGetProperty("state", out _));
        Assert.Equal(
            (first, "cancelled"),
            (
                told.RootElement.GetProperty("task").GetProperty("id").GetString(),
                told.RootElement.GetProperty("task").GetProperty("status").GetString()
            )
        );
        Assert.Empty(_calls);
    }

    private async Task<(string Path, IReadOnlyDictionary<string, string> Headers, string Body)> CallAsync()
    {
        (string, IReadOnlyDictionary<string, string>, string) call = default;
        await Eventually.BecomesTrueAsync(() => Task.FromResult(_calls.TryDequeue(out call)), "the callback");
        return call;
    }

    private async Task<string> SubmitAsync(string callback, string resource = "invoice-7")
    {
        using var response = await PostAsync(Requests, Submission(await EvaluateAsync(resource), callback, resource));
        return (await response.ReadAsync(HttpStatusCode.Accepted)).GetProperty("task").GetProperty("id").GetString()!;
    }

    private async Task<JsonElement> EvaluateAsync(string resource = "invoice-7")
    {
        using var response = await PostAsync("/access/v1/evaluation", Question(resource).ToJsonString());
        return (await response.ReadAsync(HttpStatusCode.OK)).GetProperty("context");
    }

    private async Task<IEnumerable<string>> OpenAsync()
    {
        using var open = await _broker.SendAsync(HttpMethod.Get, "/v1/approvals", Lead());
        return (await open.ReadAsync(HttpStatusCode.OK))
            .GetProperty("approvals")
            .EnumerateArray()
            .Select(approval => approval.GetProperty("approvalId").GetString()!)
            .ToList();
    }

    private async Task ApproveAsync(string id)
    {
        using var shown = await _broker.SendAsync(HttpMethod.Get, $"/v1/approvals/{id}", Lead());
        var digest = (await shown.ReadAsync(HttpStatusCode.OK)).GetProperty("digest").GetString();
        using var said = await PostAsync($"/v1/approvals/{id}/approve", $$"""{"digest":"{{digest}}"}""", Lead());
        await said.ReadAsync(HttpStatusCode.OK);
    }

    private string Lead() =>
        _broker.People.Token(
            "lead-1",
            claims => (claims["roles"], claims["groups"]) = (new[] { "approver" }, new[] { "leads" })
        );

    private Task<HttpResponseMessage> PostAsync(string path, string body, string? token = null) =>
        _broker.SendAsync(HttpMethod.Post, path, token ?? _broker.Agent(), Api.Json(body));

    private static string Submission(JsonElement denied, string callback, string resource = "invoice-7")
    {
        // As text, so that the caller's state comes as it is.
        var body = Question(resource);
        body["denial"] = new JsonObject
        {
            ["evaluation_id"] = denied.GetProperty("evaluation_id").GetString(),
            ["expires_at"] = denied.GetProperty("access_request").GetProperty("expires_at").GetString(),
        };
        return $"{body.ToJsonString()[..^1]},\"callback\":{callback}}}";
    }

    private static JsonObject Question(string resource) =>
        JsonNode
            .Parse(
                $$"""
                {"subject":{"type":"agent","id":"triage-i-1"},"action":{"name":"read"},
                 "resource":{"type":"billing-readonly","id":"{{resource}}"},
                 "context":{"process":"invoice-triage","task":"t-1","purpose":"pay invoice 7"} }
                """
            )!
            .AsObject();
}
