using System.Net.Http.Headers;
using System.Text;
using CredBroker.Client;
using CredBroker.IntegrationTests.Fixtures;
using FsCheck;
using FsCheck.Fluent;

namespace CredBroker.IntegrationTests.Server;

/// <summary>
/// Whatever a stranger sends, the answer is never a 500, and every refusal is a problem with a code of the table.
/// </summary>
public sealed class FuzzTests(SharedBroker shared) : IClassFixture<SharedBroker>
{
    private const string Good = """
        {"task":{"id":"t-1","process":"invoice-triage","purpose":"sort"},
         "credential":"shared-key","actions":["read"],"ttl":"5m",
         "toolCall":{"name":"n","arguments":{"a":1,"b":[true,null,"x"]}},
         "idempotencyKey":"k","resource":"r","csr":"x","delivery":"direct"}
        """;

    private const string Question = """
        {"evaluations":[{"action":{"name":"read","properties":{"a":[1]}},
          "resource":{"type":"shared-key","id":"r","properties":{"b":null}}},{}],
         "subject":{"type":"agent","id":"triage-i-1","properties":{"issuer":"i","proof":"oidc","c":true}},
         "action":{"name":"read"},"resource":{"type":"shared-key","id":"r"},
         "context":{"process":"invoice-triage","task":"t","purpose":"p"},"options":{"evaluations_semantic":"execute_all"}}
        """;

    private static readonly string[] GoodBodies = [Good, Question];

    private static readonly (HttpMethod Method, string Path, bool Person)[] Calls =
    [
        (HttpMethod.Post, "/access/v1/evaluation", true),
        (HttpMethod.Post, "/access/v1/evaluations", true),
        (HttpMethod.Post, "/access/v1/evaluations", false),
        (HttpMethod.Post, "/access/v1/requests", false),
        (HttpMethod.Post, "/access/v1/requests/00000000000000000000000000000000/cancel", false),
        (HttpMethod.Post, "/v1/credentials", false),
        (HttpMethod.Post, "/v1/credentials/00000000000000000000000000000000/renew", false),
        (HttpMethod.Post, "/v1/credentials/00000000000000000000000000000000/outcome", false),
        (HttpMethod.Post, "/v1/tasks/t-1/close", false),
        (HttpMethod.Post, "/v1/leases/00000000000000000000000000000000/confirm", true),
        (HttpMethod.Post, "/v1/revocations", true),
        (HttpMethod.Post, "/v1/holds", true),
        (HttpMethod.Post, "/v1/owners/retire", true),
        (HttpMethod.Post, "/v1/owners/reinstate", true),
        (HttpMethod.Post, "/v1/holds/00000000000000000000000000000000/lift", true),
        (HttpMethod.Post, "/v1/store/clock/repair", true),
        (HttpMethod.Post, "/v1/store/anchor/accept", true),
        (HttpMethod.Post, "/v1/vault/cluster/accept", true),
        (HttpMethod.Post, "/v1/policy/evaluate", true),
        (HttpMethod.Post, "/v1/policy/preview", true),
        (HttpMethod.Put, "/v1/policy", true),
        (HttpMethod.Post, "/v1/policy/rollback", true),
        (HttpMethod.Post, "/v1/policy/replay", true),
    ];

    private static readonly string[] Values =
    [
        "null",
        "true",
        "0",
        "-1",
        "1e999",
        "\"\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "[]",
        "{}",
        "[[[[[[]]]]]]",
        "\"x\"",
        "99999999999999999999",
        "\"5m\"",
        "{\"a\":{}}",
        "\"\u202e\"",
    ];

    private readonly TestBroker _broker = shared.Broker;

    [Fact]
    public Task Any_bytes_in_a_body_are_refused_with_a_code() =>
        CheckAsync(
            ArbMap.Default.GeneratorFor<byte[]>().Select(bytes => bytes ?? []),
            40,
            (call, body) => SendAsync(call, body)
        );

    [Fact]
    public Task A_good_body_with_one_value_replaced_is_never_a_fault()
    {
        // One of the values of a good request is replaced by something odd.
        var bodies =
            from good in Gen.Elements(GoodBodies)
            from colon in Gen.Elements(Enumerable.Range(0, good.Length).Where(i => good[i] == ':').ToArray())
            from value in Gen.Elements(Values)
            let end = good.AsSpan(colon).IndexOfAny(',', '}')
            select Encoding.UTF8.GetBytes(good[..(colon + 1)] + value + good[(colon + end)..]);
        return CheckAsync(bodies, 60, (call, body) => SendAsync(call, body));
    }

    [Fact]
    public Task A_good_body_with_bytes_flipped_is_never_a_fault()
    {
        var bodies =
            from good in Gen.Elements(GoodBodies)
            from at in Gen.Choose(0, good.Length - 1)
            from value in Gen.Choose(0, 255)
            select Flip(good, at, (byte)value);
        return CheckAsync(bodies, 60, (call, body) => SendAsync(call, body));
    }

    [Fact]
    public async Task Any_path_query_and_token_are_refused_with_a_code()
    {
        var texts = ArbMap.Default.GeneratorFor<string>().Select(text => text ?? "").Sample(150);
        foreach (var text in texts)
        {
            var escaped = Uri.EscapeDataString(new string([.. text.Where(c => !char.IsSurrogate(c))]));
            foreach (
                var path in new[]
                {
                    $"/v1/credentials/{escaped}",
                    $"/v1/revocations/{escaped}",
                    $"/v1/leases?{escaped}",
                    $"/v1/leases?cursor={escaped}&agent={escaped}",
                    $"/v1/audit/export?from={escaped}",
                    $"/{escaped}",
                }
            )
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                var isAgents = path.StartsWith("/v1/c", StringComparison.Ordinal);
                var token = isAgents ? _broker.Agent() : _broker.Person("viewer", "auditor");
                request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
                using var response = await _broker.Http.SendAsync(request);
                await AssertSaneAsync(response);
            }

            using var withToken = new HttpRequestMessage(HttpMethod.Post, "/v1/credentials")
            {
                Content = Api.Exchange(),
            };
            withToken.Headers.TryAddWithoutValidation(
                "Authorization",
                $"Bearer {new string([.. text.Where(c => c is > ' ' and < '\u007f')])}.e30.AA"
            );
            using var refused = await _broker.Http.SendAsync(withToken);
            await AssertSaneAsync(refused);
        }
    }

    private async Task CheckAsync(
        Gen<byte[]> bodies,
        int count,
        Func<(HttpMethod Method, string Path, bool Person), byte[], Task<HttpResponseMessage>> send
    )
    {
        foreach (var body in bodies.Sample(count))
        {
            foreach (var call in Calls)
            {
                using var response = await send(call, body);
                await AssertSaneAsync(response);
            }
        }
    }

    private async Task<HttpResponseMessage> SendAsync((HttpMethod Method, string Path, bool Person) call, byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await _broker.SendAsync(
            call.Method,
            call.Path,
            call.Person ? _broker.Person("admin", "viewer") : _broker.Agent(),
            content
        );
    }

    private static async Task AssertSaneAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(
            (int)response.StatusCode < 500,
            $"{response.RequestMessage?.RequestUri} {(int)response.StatusCode}: {text}"
        );
        if (text.Length == 0 && response.StatusCode == System.Net.HttpStatusCode.BadRequest)
        {
            // Not even HTTP: refused by the listener, which answers without a body.
            return;
        }

        if (!response.IsSuccessStatusCode)
        {
            Assert.True(
                text.Length > 0,
                $"{response.RequestMessage?.RequestUri} {(int)response.StatusCode} without a body"
            );
            // AuthZEN has its errors as text.
            var code =
                response.Content.Headers.ContentType?.MediaType == "text/plain"
                    ? text.Split(':')[0]
                    : System.Text.Json.JsonElement.Parse(text).GetProperty("code").GetString();
            Assert.Equal((int)response.StatusCode, ErrorCodes.Find(code)?.Status);
        }
    }

    private static byte[] Flip(string good, int at, byte value)
    {
        var bytes = Encoding.UTF8.GetBytes(good);
        bytes[at] = value;
        return bytes;
    }
}
