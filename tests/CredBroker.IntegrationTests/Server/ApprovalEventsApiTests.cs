using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

/// <summary>Approvers look on: each hears what they may decide, as it comes and goes, and nothing else.</summary>
public sealed class ApprovalEventsApiTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string?> Groups = new()
    {
        ["Identity:Issuers:1:GroupsClaim"] = "groups",
    };
    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync() =>
        _broker = await TestBroker.StartAsync(
            Groups,
            TestPolicy.Text.Replace(
                "effect: allow",
                "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m }",
                StringComparison.Ordinal
            )
        );

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task An_approver_hears_what_is_open_and_then_what_becomes_of_it_and_another_hears_nothing()
    {
        var first = await AskAsync("t-1");
        await using var ann = await OpenAsync(Token("ann", "leads"));
        await using var eve = await OpenAsync(Token("eve", "others"));
        Assert.Equal((first, "pending"), Told(await ann.NextAsync()));
        Assert.Equal("heartbeat", (await ann.NextAsync()).EventType);

        var second = await AskAsync("t-2");
        Assert.Equal((second, "pending"), Told(await ann.NextAsync()));
        await DenyAsync(first);
        var denied = await ann.NextAsync();
        Assert.Equal((first, "denied"), Told(denied));

        // Who comes again hears what happened since, and not what was heard.
        await DenyAsync(second);
        await using var again = await OpenAsync(Token("ann", "leads"), denied.EventId);
        Assert.Equal("heartbeat", (await again.NextAsync()).EventType);
        Assert.Equal((second, "denied"), Told(await again.NextAsync()));

        // The next that she hears is a heartbeat, though both were asked and denied meanwhile.
        Assert.Equal("heartbeat", (await eve.NextAsync()).EventType);
        Assert.Equal("heartbeat", (await eve.NextAsync()).EventType);
    }

    [Fact]
    public async Task A_number_that_the_store_has_not_reached_has_all_that_is_open_told_again()
    {
        var open = await AskAsync("t-1");
        await using var ann = await OpenAsync(Token("ann", "leads"), "4711");
        Assert.Equal((open, "pending"), Told(await ann.NextAsync()));
    }

    [Fact]
    public async Task It_ends_with_the_token()
    {
        var soon = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 4;
        await using var ann = await OpenAsync(
            _broker.People.Token(
                "ann",
                claims =>
                    (claims["roles"], claims["groups"], claims["exp"]) = (new[] { "approver" }, new[] { "leads" }, soon)
            )
        );
        await ann.EndsAsync();
        Assert.True(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() >= soon);
    }

    [Fact]
    public async Task It_ends_when_the_broker_stops_and_goes_on_at_the_next()
    {
        var ann = await OpenAsync(Token("ann", "leads"));
        var asked = await AskAsync("t-1");
        Assert.Equal("heartbeat", (await ann.NextAsync()).EventType);
        var heard = await ann.NextAsync();
        Assert.Equal((asked, "pending"), Told(heard));

        var began = TimeProvider.System.GetTimestamp();
        await _broker.StopAsync();
        // Kestrel waits half a minute for calls that are under way.
        Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(25));
        await ann.DisposeAsync();

        await _broker.RestartAsync(Groups);
        await DenyAsync(asked);
        await using var again = await OpenAsync(Token("ann", "leads"), heard.EventId);
        Assert.Equal("heartbeat", (await again.NextAsync()).EventType);
        Assert.Equal((asked, "denied"), Told(await again.NextAsync()));
    }

    [Fact]
    public async Task One_person_looks_on_four_times_at_once_and_no_more()
    {
        var streams = new List<Stream>();
        for (var number = 0; number < 4; number++)
        {
            streams.Add(await OpenAsync(Token("ann", "leads")));
        }

        using (var refused = await SendAsync(Token("ann", "leads")))
        {
            await refused.ReadProblemAsync("CB6013");
        }

        await using (await OpenAsync(Token("bob", "leads"))) { }

        await streams[0].DisposeAsync();
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var response = await SendAsync(Token("ann", "leads"));
            return response.StatusCode == HttpStatusCode.OK;
        });
        foreach (var stream in streams[1..])
        {
            await stream.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("x")]
    [InlineData("-1")]
    [InlineData("1e3")]
    [InlineData("99999999999999999999")]
    public async Task Where_to_go_on_from_is_a_number(string id)
    {
        using var refused = await SendAsync(Token("ann", "leads"), id);
        await refused.ReadProblemAsync("CB6003");
    }

    private string Token(string name, string group) =>
        _broker.People.Token(
            name,
            claims => (claims["roles"], claims["groups"]) = (new[] { "approver" }, new[] { group })
        );

    private async Task<string> AskAsync(string task)
    {
        using var asked = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Json(
                $$"""
                {"task":{"id":"{{task}}","process":"invoice-triage","purpose":"pay"},"credential":"billing-readonly","actions":["read"]}
                """
            )
        );
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
        return JsonElement.Parse(await asked.Content.ReadAsStringAsync()).GetProperty("approvalId").GetString()!;
    }

    private async Task DenyAsync(string id)
    {
        using var denied = await _broker.SendAsync(
            HttpMethod.Post,
            $"/v1/approvals/{id}/deny",
            Token("bob", "leads"),
            Api.Json("""{"reason":"no"}""")
        );
        Assert.Equal(HttpStatusCode.OK, denied.StatusCode);
    }

    private static (string Id, string State) Told(SseItem<string> item)
    {
        Assert.Equal("approval", item.EventType);
        var approval = JsonSerializer.Deserialize(item.Data, BrokerJson.Strict.ApprovalResponse)!;
        return (approval.ApprovalId, approval.State);
    }

    private async Task<HttpResponseMessage> SendAsync(string token, string? after = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/approvals/events");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (after is not null)
        {
            request.Headers.Add("Last-Event-ID", after);
        }

        return await _broker.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private async Task<Stream> OpenAsync(string token, string? after = null)
    {
        var response = await SendAsync(token, after);
        Assert.Equal(
            (HttpStatusCode.OK, "text/event-stream"),
            (response.StatusCode, response.Content.Headers.ContentType?.MediaType)
        );
        return new(response, await response.Content.ReadAsStreamAsync());
    }

    private sealed class Stream(HttpResponseMessage response, System.IO.Stream body) : IAsyncDisposable
    {
        private readonly IAsyncEnumerator<SseItem<string>> _items = SseParser
            .Create(body)
            .EnumerateAsync()
            .GetAsyncEnumerator();

        public async Task<SseItem<string>> NextAsync()
        {
            Assert.True(await _items.MoveNextAsync().AsTask().WaitAsync(Patience.Limit));
            return _items.Current;
        }

        public async Task EndsAsync()
        {
            while (await _items.MoveNextAsync().AsTask().WaitAsync(Patience.Limit))
            {
                Assert.Equal("heartbeat", _items.Current.EventType);
            }
        }

        public ValueTask DisposeAsync()
        {
            response.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
