using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

/// <summary>Agents' and people's calls, each at an address of their own or both at one.</summary>
public sealed class ListenerTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string?> Apart = new() { ["Listen:People:Url"] = "http://127.0.0.1:0" };

    private TestBroker _broker = null!;
    private HttpClient _agents = null!;
    private HttpClient _people = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await TestBroker.StartAsync(Apart);
        (_agents, _people) = (Client(_broker.Addresses[0]), Client(_broker.Addresses[1]));
    }

    public async ValueTask DisposeAsync()
    {
        _agents.Dispose();
        _people.Dispose();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task Each_call_is_answered_at_its_callers_address_and_at_no_other()
    {
        var seen = 0;
        foreach (var (method, path, agents, people) in await OperationsAsync())
        {
            seen++;
            foreach (var (http, served, whose) in new[] { (_agents, agents, "agents'"), (_people, people, "people's") })
            {
                using var response = await SendAsync(http, method, path);
                var text = await response.Content.ReadAsStringAsync();
                if (served || !(agents || people))
                {
                    Assert.DoesNotContain("are not answered at this address", text, StringComparison.Ordinal);
                    continue;
                }

                if (!path.StartsWith("/scim/", StringComparison.Ordinal))
                {
                    await response.ReadProblemAsync("CB6010");
                }

                // Directories are told in SCIM's form.
                var detail = JsonElement.Parse(text).GetProperty("detail").GetString();
                Assert.Contains($"it is the {whose}", detail, StringComparison.Ordinal);
                Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            }
        }

        Assert.True(seen > 12, $"only {seen} operations");
    }

    [Fact]
    public async Task A_good_token_does_not_help_at_the_wrong_address()
    {
        using var exchange = await SendAsync(
            _people,
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange()
        );
        await exchange.ReadProblemAsync("CB6010");
        using var list = await SendAsync(_agents, HttpMethod.Get, "/v1/leases", _broker.Person("admin"));
        await list.ReadProblemAsync("CB6010");

        using var issued = await SendAsync(
            _agents,
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange()
        );
        await issued.ReadAsync(HttpStatusCode.Created);
        using var listed = await SendAsync(_people, HttpMethod.Get, "/v1/leases", _broker.Person("admin"));
        await listed.ReadAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_callers_own_word_does_not_choose_the_listener()
    {
        foreach (var (name, value) in Pretences())
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/leases");
            request.Headers.Authorization = new("Bearer", _broker.Person("admin"));
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
            using var response = await _agents.SendAsync(request);
            await response.ReadProblemAsync("CB6010");
        }

        using var other = await SendAsync(_agents, HttpMethod.Get, "/V1/LEASES/", _broker.Person("admin"));
        await other.ReadProblemAsync("CB6010");
    }

    [Fact]
    public async Task Health_and_the_document_are_answered_at_both()
    {
        foreach (var http in new[] { _agents, _people })
        {
            foreach (var path in new[] { "/health/live", "/health/ready", "/openapi/v1.json" })
            {
                using var response = await SendAsync(http, HttpMethod.Get, path);
                await response.ReadAsync(HttpStatusCode.OK);
            }

            using var unknown = await SendAsync(http, HttpMethod.Get, "/v1/nothing");
            Assert.Equal(
                "There is no such address.",
                (await unknown.ReadProblemAsync("CB6010")).GetProperty("detail").GetString()
            );
        }
    }

    [Fact]
    public async Task A_task_is_closed_at_each_address_by_its_own_callers_only()
    {
        var (agent, admin) = (_broker.Agent(), _broker.Person("admin"));
        using var issued = await SendAsync(_agents, HttpMethod.Post, "/v1/credentials", agent, Api.Exchange());
        await issued.ReadAsync(HttpStatusCode.Created);
        foreach (var (http, token) in new[] { (_agents, admin), (_people, agent) })
        {
            using var refused = await CloseAsync(http, token);
            await refused.ReadProblemAsync("CB1017");
        }

        foreach (var (http, token) in new[] { (_agents, agent), (_people, admin) })
        {
            using var closed = await CloseAsync(http, token);
            await closed.ReadAsync(HttpStatusCode.NoContent);
        }
    }

    [Fact]
    public async Task The_listener_is_known_over_tls_and_http_2_as_well()
    {
        using var folder = new TemporaryFolder();
        var settings = new Dictionary<string, string?>(Apart);
        foreach (var name in new[] { "Agents", "People" })
        {
            var (certificate, key) = (folder.File($"{name}.pem"), folder.File($"{name}.key"));
            TlsFiles.Write(certificate, key, $"CN={name}");
            settings[$"Listen:{name}:Url"] = "https://127.0.0.1:0";
            settings[$"Listen:{name}:CertificateFile"] = certificate;
            settings[$"Listen:{name}:KeyFile"] = key;
        }

        await _broker.RestartAsync(settings);
        foreach (
            var (address, subject, call) in new[]
            {
                (_broker.Addresses[0], "CN=Agents", "/v1/leases"),
                (_broker.Addresses[1], "CN=People", "/v1/credentials/00000000000000000000000000000000"),
            }
        )
        {
            using var http = Client(address, subject);
            using var response = await SendAsync(http, HttpMethod.Get, call);
            Assert.Equal(HttpVersion.Version20, response.Version);
            await response.ReadProblemAsync("CB6010");
        }
    }

    [Fact]
    public async Task Agents_that_keep_every_connection_and_request_at_work_keep_no_admin_out()
    {
        await _broker.RestartAsync(
            new Dictionary<string, string?>(Apart) { ["Listen:MaxConnections"] = "2", ["Listen:MaxRequests"] = "2" }
        );
        using var started = new CountdownEvent(2);
        var go = new TaskCompletionSource();
        _broker.Vault.BeforeMint = () =>
        {
            started.Signal();
            return go.Task;
        };
        using var first = Client(_broker.Addresses[0]);
        using var second = Client(_broker.Addresses[0]);
        var running = new[] { first, second }
            .Select(http => SendAsync(http, HttpMethod.Post, "/v1/credentials", _broker.Agent(), Api.Exchange()))
            .ToList();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(started.IsSet), "two exchanges under way");
        using (var agents = Client(_broker.Addresses[0]))
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(agents, HttpMethod.Get, "/health/live"));
        }

        using var people = Client(_broker.Addresses[1]);
        using var listed = await SendAsync(people, HttpMethod.Get, "/v1/leases", _broker.Person("admin"));
        await listed.ReadAsync(HttpStatusCode.OK);
        using var closed = await CloseAsync(people, _broker.Person("admin"));
        await closed.ReadAsync(HttpStatusCode.NoContent);

        go.SetResult();
        foreach (var served in await Task.WhenAll(running))
        {
            served.Dispose();
        }
    }

    [Fact]
    public async Task A_connection_that_is_idle_makes_room_for_another()
    {
        await _broker.RestartAsync(new Dictionary<string, string?>(Apart) { ["Listen:MaxConnections"] = "2" });
        using var first = await HoldAsync(_broker.Addresses[0]);
        using var second = await HoldAsync(_broker.Addresses[0]);
        using var third = await HoldAsync(_broker.Addresses[0]);

        // The first one's connection was cut; it makes a new one.
        using var again = await SendAsync(first, HttpMethod.Get, "/health/live");
        await again.ReadAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task One_address_serves_both_where_people_have_none_of_their_own()
    {
        await _broker.RestartAsync();
        Assert.Single(_broker.Addresses);
        using var issued = await _broker.SendAsync(HttpMethod.Post, "/v1/credentials", _broker.Agent(), Api.Exchange());
        await issued.ReadAsync(HttpStatusCode.Created);
        using var listed = await _broker.SendAsync(HttpMethod.Get, "/v1/leases", _broker.Person("admin"));
        await listed.ReadAsync(HttpStatusCode.OK);
    }

    private IEnumerable<(string Name, string Value)> Pretences()
    {
        var people = _broker.Addresses[1];
        yield return ("Host", people.Authority);
        yield return ("X-Forwarded-Host", people.Authority);
        yield return ("X-Forwarded-Port", $"{people.Port}");
        yield return ("Forwarded", $"host={people.Authority}");
    }

    /// <summary>Every operation of the document, with values for its parameters, and who calls it.</summary>
    private async Task<IReadOnlyList<(HttpMethod Method, string Path, bool Agents, bool People)>> OperationsAsync()
    {
        using var response = await SendAsync(_agents, HttpMethod.Get, "/openapi/v1.json");
        var document = await response.ReadAsync(HttpStatusCode.OK);
        return
        [
            .. from path in document.GetProperty("paths").EnumerateObject()
            from operation in path.Value.EnumerateObject()
            where operation.Value.ValueKind == JsonValueKind.Object
            let security = operation.Value.TryGetProperty("security", out var schemes) ? schemes.GetRawText() : ""
            select (
                new HttpMethod(operation.Name.ToUpperInvariant()),
                Regex.Replace(path.Name, "{[^}]*}", "00000000000000000000000000000000"),
                security.Contains("workloadToken", StringComparison.Ordinal),
                security.Contains("personToken", StringComparison.Ordinal)
            ),
        ];
    }

    private static Task<HttpResponseMessage> CloseAsync(HttpClient http, string token) =>
        SendAsync(http, HttpMethod.Post, "/v1/tasks/t-1/close", token, Api.Json("""{"process":"invoice-triage"}"""));

    /// <summary>A connection that is open and stays so: it has been answered once.</summary>
    private static async Task<HttpClient> HoldAsync(Uri address)
    {
        var http = Client(address);
        using var response = await SendAsync(http, HttpMethod.Get, "/health/live");
        await response.ReadAsync(HttpStatusCode.OK);
        return http;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient http,
        HttpMethod method,
        string path,
        string? token = null,
        HttpContent? body = null
    )
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = body,
            Version = http.DefaultRequestVersion,
        };
        if (method == HttpMethod.Post)
        {
            request.Content ??= Api.Json("{}");
        }

        if (token is not null)
        {
            request.Headers.Authorization = new("Bearer", token);
        }

        return await http.SendAsync(request);
    }

    private static HttpClient Client(Uri address, string? subject = null)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate?.Subject == subject;
        return new HttpClient(handler)
        {
            BaseAddress = address,
            DefaultRequestVersion = subject is null ? HttpVersion.Version11 : HttpVersion.Version20,
        };
    }
}
