using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using CredBroker.Core.Identity;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace CredBroker.IntegrationTests.Server;

public sealed class ProblemApiTests(SharedBroker shared) : IClassFixture<SharedBroker>
{
    private readonly TestBroker _broker = shared.Broker;

    [Fact]
    public async Task An_unknown_address_is_a_problem()
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/v1/unheard-of", _broker.Agent());
        await response.ReadProblemAsync("CB6010");
        Assert.False(response.Headers.Contains("Server"));
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task A_method_that_an_address_does_not_take_is_a_problem_that_names_those_it_takes()
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Put,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange()
        );
        await response.ReadProblemAsync("CB6011");
        Assert.Equal("POST", response.Content.Headers.Allow.Single());
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/jsonx")]
    public async Task Another_media_type_is_refused(string mediaType)
    {
        var body = new StringContent("{}");
        body.Headers.ContentType = MediaTypeHeaderValue.Parse(mediaType);
        using var response = await _broker.SendAsync(HttpMethod.Post, "/v1/credentials", _broker.Agent(), body);
        await response.ReadProblemAsync("CB6012");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_over_the_cap_is_refused_whether_or_not_its_length_is_said(bool chunked)
    {
        var body = Api.Json(new string(' ', 70_000));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/credentials") { Content = body };
        request.Headers.Authorization = new("Bearer", _broker.Agent());
        request.Headers.TransferEncodingChunked = chunked;
        using var response = await _broker.Http.SendAsync(request);
        await response.ReadProblemAsync("CB6002");
        Assert.True(response.Headers.ConnectionClose);
    }

    [Fact]
    public async Task A_body_over_the_cap_that_nobody_reads_ends_its_connection_and_the_answer_says_so()
    {
        using var body = Api.Json(new string(' ', 70_000));
        using var response = await _broker.SendAsync(HttpMethod.Post, "/v1/unheard-of", _broker.Agent(), body);
        await response.ReadProblemAsync("CB6010");
        Assert.True(response.Headers.ConnectionClose);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"task":{"id":"t","process":"p","purpose":"x"},"credential":"c","actions":["read"],"extra":1}""")]
    [InlineData("""{"task":{"id":"t","process":"p","purpose":"x","more":1},"credential":"c","actions":["read"]}""")]
    [InlineData(
        """{"task":{"id":"t","process":"p","purpose":"x"},"credential":"c","credential":"d","actions":["read"]}"""
    )]
    [InlineData(
        """{"task":{"id":"t","process":"p","purpose":"x"}"""
            + ""","credential":"c","actions":["read"],"toolCall":{"name":"n","arguments":{"a":1,"a":2}}}"""
    )]
    [InlineData(
        """{"task":{"id":"t","process":"p","purpose":"x"}"""
            + ""","credential":"c","actions":["read"],"toolCall":{"name":"n","arguments":{"a":9007199254740993}}}"""
    )]
    [InlineData("""{"task":{"id":"t","process":"p","purpose":"x\u0000"},"credential":"c","actions":["read"]}""")]
    [InlineData("""{"task":{"id":"t","process":"p","purpose":"x\ud800"},"credential":"c","actions":["read"]}""")]
    [InlineData("""{"task":{"id":"t","process":"p","purpose":null},"credential":"c","actions":["read"]}""")]
    [InlineData("""{"Task":{"id":"t","process":"p","purpose":"x"},"credential":"c","actions":["read"]}""")]
    [InlineData("""{"task":{"id":1,"process":"p","purpose":"x"},"credential":"c","actions":["read"]}""")]
    [InlineData("""{"task":{"id":"t","process":"p","purpose":"x"},"credential":"c","actions":["read"],"ttl":"soon"}""")]
    [InlineData("""{"task":{"id":"t","process":"p","purpose":"x"},"credential":"c","actions":["read"],"ttl":600}""")]
    public async Task A_body_that_is_not_exactly_this_calls_is_refused(string body)
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Json(body)
        );
        var problem = await response.ReadProblemAsync("CB6001");
        Assert.DoesNotContain("CredBroker.", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_members_are_named()
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Json("{}")
        );
        var detail = (await response.ReadProblemAsync("CB6001")).GetProperty("detail").GetString()!;
        Assert.All(
            new[] { "task", "credential", "actions" },
            member => Assert.Contains($"'{member}'", detail, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("\"credential\":\"\"", "credential")]
    [InlineData("\"credential\":\"../../etc\"", "credential")]
    [InlineData("\"actions\":[]", "actions")]
    [InlineData("\"actions\":[\"read\",\"read\"]", "actions")]
    [InlineData("\"actions\":[\"read it\"]", "actions")]
    [InlineData("\"task\":{\"id\":\"a/b\",\"process\":\"p\",\"purpose\":\"x\"}", "task.id")]
    [InlineData("\"task\":{\"id\":\"a\",\"process\":\"p\",\"purpose\":\" \"}", "task.purpose")]
    [InlineData("\"ttl\":\"25h\"", "ttl")]
    [InlineData("\"delivery\":\"wrapped\"", "delivery")]
    [InlineData("\"idempotencyKey\":\"has space\"", "idempotencyKey")]
    [InlineData("\"toolCall\":{\"name\":\"n\",\"arguments\":[]}", "toolCall.arguments")]
    [InlineData("\"toolCall\":{\"name\":\"n n\",\"arguments\":{}}", "toolCall.name")]
    public async Task A_field_out_of_bounds_is_named(string member, string field)
    {
        var members = new Dictionary<string, string>
        {
            ["task"] = """ "task":{"id":"t","process":"p","purpose":"x"} """,
            ["credential"] = "\"credential\":\"c\"",
            ["actions"] = "\"actions\":[\"read\"]",
        };
        members[member[1..member.IndexOf('"', 1)]] = member;
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Json($"{{{string.Join(',', members.Values)}}}")
        );
        Assert.Contains(
            field,
            (await response.ReadProblemAsync("CB6003")).GetProperty("detail").GetString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Long_fields_are_refused_at_their_bound()
    {
        foreach (
            var (more, code) in new[]
            {
                ($",\"resource\":\"{new string('r', 1000)}\"", null),
                ($",\"resource\":\"{new string('r', 1001)}\"", "CB6003"),
                ($",\"toolCall\":{{\"name\":\"n\",\"arguments\":{{\"a\":\"{new string('x', 33_000)}\"}}}}", "CB6003"),
                ($",\"csr\":\"{new string('x', 17_000)}\"", "CB6009"),
            }
        )
        {
            using var response = await _broker.SendAsync(
                HttpMethod.Post,
                "/v1/credentials",
                _broker.Agent(),
                Api.Exchange(more: more)
            );
            if (code is null)
            {
                await response.ReadAsync(HttpStatusCode.Created);
            }
            else
            {
                await response.ReadProblemAsync(code);
            }
        }

        using var many = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange(actions: string.Join(',', Enumerable.Range(0, 33).Select(i => $"\"a{i}\"")))
        );
        await many.ReadProblemAsync("CB6003");
    }

    [Fact]
    public async Task Deep_json_is_refused()
    {
        var deep = new string('[', 5000) + new string(']', 5000);
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange(more: $",\"toolCall\":{{\"name\":\"n\",\"arguments\":{{\"a\":{deep}}}}}")
        );
        await response.ReadProblemAsync("CB6001");
    }

    [Fact]
    public async Task A_call_without_a_token_is_challenged()
    {
        using var response = await _broker.SendAsync(HttpMethod.Post, "/v1/credentials", null, Api.Exchange());
        await response.ReadProblemAsync("CB1001");
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().ToString());
    }

    [Theory]
    [InlineData("Basic dXNlcjpwYXNz", "CB1001")]
    [InlineData("Bearer", "CB1001")]
    [InlineData("Bearer  ", "CB1001")]
    [InlineData("Bearer not-a-jwt", "CB1002")]
    [InlineData("bearer a.b.c", "CB1002")]
    public async Task A_header_that_is_no_bearer_token_is_refused(string header, string code)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/credentials") { Content = Api.Exchange() };
        request.Headers.TryAddWithoutValidation("Authorization", header);
        using var response = await _broker.Http.SendAsync(request);
        await response.ReadProblemAsync(code);
    }

    [Fact]
    public async Task A_token_that_does_not_hold_is_refused_as_invalid()
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Workloads.Token("triage", claims => claims["exp"] = 1_000_000),
            Api.Exchange()
        );
        await response.ReadProblemAsync("CB1010");
        Assert.Equal("Bearer error=\"invalid_token\"", response.Headers.WwwAuthenticate.Single().ToString());
    }

    [Theory]
    [InlineData("POST", "/v1/credentials")]
    [InlineData("GET", "/v1/credentials/00000000000000000000000000000000")]
    [InlineData("DELETE", "/v1/credentials/00000000000000000000000000000000")]
    public async Task A_persons_token_is_refused_where_a_workloads_is_meant(string method, string path)
    {
        using var response = await _broker.SendAsync(
            new HttpMethod(method),
            path,
            _broker.Person("admin"),
            method == "POST" ? Api.Exchange() : null
        );
        await response.ReadProblemAsync("CB1017");
    }

    [Fact]
    public async Task A_fault_tells_its_trace_id_and_nothing_else()
    {
        await using var faulty = await TestBroker.StartAsync(replace: services =>
            services.Replace(ServiceDescriptor.Singleton<IWorkloadVerifier, FaultyVerifier>())
        );
        using var response = await faulty.SendAsync(HttpMethod.Post, "/v1/credentials", faulty.Agent(), Api.Exchange());
        var problem = await response.ReadProblemAsync("CB6999");
        Assert.DoesNotContain("inner words", problem.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_does_not_answer_is_said()
    {
        await using var faulty = await TestBroker.StartAsync(replace: services =>
            services.Replace(ServiceDescriptor.Singleton<IWorkloadVerifier, StorelessVerifier>())
        );
        using var response = await faulty.SendAsync(
            HttpMethod.Get,
            "/v1/credentials/00000000000000000000000000000000",
            faulty.Agent()
        );
        await response.ReadProblemAsync("CB5001");
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Fact]
    public async Task Beyond_its_limit_the_broker_asks_to_come_back_and_stays_healthy()
    {
        await using var small = await TestBroker.StartAsync(
            new Dictionary<string, string?> { ["Listen:MaxRequests"] = "1" }
        );
        var (started, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        small.Vault.BeforeMint = () =>
        {
            started.SetResult();
            return go.Task;
        };
        var running = small.SendAsync(HttpMethod.Post, "/v1/credentials", small.Agent(), Api.Exchange());
        await started.Task;

        using var refused = await small.SendAsync(
            HttpMethod.Get,
            "/v1/credentials/00000000000000000000000000000000",
            small.Agent()
        );
        await refused.ReadProblemAsync("CB6013");
        Assert.NotNull(refused.Headers.RetryAfter);
        using var live = await small.SendAsync(HttpMethod.Get, "/health/live", null);
        await live.ReadAsync(HttpStatusCode.OK);

        go.SetResult();
        using var served = await running;
        await served.ReadAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Agents_and_strangers_never_take_the_room_that_is_kept_for_people()
    {
        await using var small = await TestBroker.StartAsync(
            new Dictionary<string, string?> { ["Listen:MaxRequests"] = "8" }
        );
        using var started = new CountdownEvent(7);
        var go = new TaskCompletionSource();
        small.Vault.BeforeMint = () =>
        {
            started.Signal();
            return go.Task;
        };
        var running = Enumerable
            .Range(0, 7)
            .Select(_ => small.SendAsync(HttpMethod.Post, "/v1/credentials", small.Agent(), Api.Exchange()))
            .ToList();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(started.IsSet), "seven exchanges under way");

        foreach (
            var (method, path) in new[]
            {
                (HttpMethod.Delete, "/v1/credentials/00000000000000000000000000000000"),
                (HttpMethod.Post, "/v1/tasks/t-1/close"),
                (HttpMethod.Get, "/openapi/v1.json"),
                (HttpMethod.Get, "/v1/unheard-of"),
                (HttpMethod.Put, "/v1/revocations"),
            }
        )
        {
            using var refused = await small.SendAsync(method, path, small.Agent());
            await refused.ReadProblemAsync("CB6013");
            Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
        }

        using var ordered = await small.SendAsync(
            HttpMethod.Post,
            "/v1/revocations",
            small.Person("admin"),
            Api.Json("""{"credential":"shared-key","allowNone":true}""")
        );
        await ordered.ReadAsync(HttpStatusCode.Accepted);

        go.SetResult();
        foreach (var served in await Task.WhenAll(running))
        {
            await served.ReadAsync(HttpStatusCode.Created);
            served.Dispose();
        }

        using var again = await small.SendAsync(HttpMethod.Get, "/openapi/v1.json", null);
        await again.ReadAsync(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nX: ", 40_000, "431")]
    [InlineData("GET /", 10_000, "414")]
    [InlineData("\0\0\0\0\r\n\r\n", 0, "400")]
    public async Task What_is_no_http_within_bounds_is_refused_by_the_listener(string start, int padding, string status)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(_broker.Http.BaseAddress!.Host, _broker.Http.BaseAddress.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(start + new string('a', padding)));
        using var reader = new StreamReader(stream);
        Assert.StartsWith($"HTTP/1.1 {status}", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    private sealed class FaultyVerifier : IWorkloadVerifier
    {
        public ValueTask<VerificationOutcome> VerifyAsync(IdentityProof proof, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("inner words");
    }

    private sealed class StorelessVerifier : IWorkloadVerifier
    {
        public ValueTask<VerificationOutcome> VerifyAsync(IdentityProof proof, CancellationToken cancellationToken) =>
            throw new StoreUnavailableException("inner words");
    }
}
