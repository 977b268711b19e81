using System.Net;
using CredBroker.Client;
using CredBroker.IntegrationTests.Cli;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Client;

/// <summary>Two servers of different origins: one that the secret is for, and one that must never see it.</summary>
public sealed class CredentialHandlerTests : IAsyncLifetime
{
    private StubBroker _trusted = null!;
    private StubBroker _other = null!;

    public async ValueTask InitializeAsync() =>
        (_trusted, _other) = (await StubBroker.StartAsync(), await StubBroker.StartAsync());

    public async ValueTask DisposeAsync()
    {
        await _trusted.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task The_secret_is_asked_for_anew_with_each_request_and_added_when_it_is_sent()
    {
        var number = 0;
        using var http = Client(() => $"hunter{++number}");

        await http.GetAsync(At(_trusted, "a"));
        await http.GetAsync(At(_trusted, "b"));

        Assert.Equal(["Bearer hunter1", "Bearer hunter2"], Seen(_trusted));
    }

    [Fact]
    public async Task Another_origin_gets_the_callers_own_header_and_not_the_secret()
    {
        using var http = Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, At(_other, "a"));
        request.Headers.Authorization = new("Bearer", "own");

        await http.SendAsync(request);

        Assert.Equal(["Bearer own"], Seen(_other));
    }

    [Fact]
    public async Task A_redirect_within_the_origin_keeps_the_secret()
    {
        Redirects(_trusted, "/a", "/b", 302);
        _trusted.OnStatus("GET /b", 200);
        using var http = Client();

        using var response = await http.GetAsync(At(_trusted, "a"));

        Assert.Equal(
            (HttpStatusCode.OK, "/b"),
            (response.StatusCode, response.RequestMessage?.RequestUri?.AbsolutePath)
        );
        Assert.Equal(["Bearer hunter2", "Bearer hunter2"], Seen(_trusted));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_to_another_host_goes_without_any_credential_and_the_way_back_too(int status)
    {
        var cookies = new List<string>();
        Redirects(_trusted, "/a", At(_other, "b").ToString(), status);
        _other.On(
            "GET /b",
            context =>
            {
                cookies.Add(context.Request.Headers.Cookie.ToString());
                cookies.Add(context.Request.Headers["X-Own"].ToString());
                context.Response.StatusCode = status;
                context.Response.Headers.Location = At(_trusted, "c").ToString();
                return Task.CompletedTask;
            }
        );
        _trusted.OnStatus("GET /c", 200);
        using var http = Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, At(_trusted, "a"));
        request.Headers.Add("Cookie", "session=1");
        request.Headers.Add("X-Own", "kept");

        using var response = await http.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([""], Seen(_other));
        Assert.Equal(["Bearer hunter2", ""], Seen(_trusted));
        Assert.Equal(["", "kept"], cookies);
    }

    [Fact]
    public async Task A_header_of_its_own_is_dropped_on_a_redirect_as_well()
    {
        var keys = new List<string>();
        Redirects(_trusted, "/a", At(_other, "b").ToString(), 302);
        _other.On(
            "GET /b",
            context =>
            {
                keys.Add(context.Request.Headers["X-Api-Key"].ToString());
                return Task.CompletedTask;
            }
        );
        using var http = new HttpClient(
            new CredentialHandler(_trusted.Address, _ => new("hunter2"))
            {
                Header = "X-Api-Key",
                Scheme = "",
                InnerHandler = Sockets(),
            }
        );
        _trusted.On(
            "GET /k",
            context =>
            {
                keys.Add(context.Request.Headers["X-Api-Key"].ToString());
                return Task.CompletedTask;
            }
        );

        await http.GetAsync(At(_trusted, "a"));
        await http.GetAsync(At(_trusted, "k"));

        Assert.Equal(["", "hunter2"], keys);
    }

    [Fact]
    public async Task A_body_is_not_taken_to_another_host()
    {
        Redirects(_trusted, "/a", At(_other, "b").ToString(), 307, "POST");
        using var http = Client();

        using var response = await http.PostAsync(At(_trusted, "a"), new StringContent("private"));

        Assert.Equal(HttpStatusCode.TemporaryRedirect, response.StatusCode);
        Assert.Empty(_other.Calls);
    }

    [Fact]
    public async Task A_post_becomes_a_get_or_is_repeated_as_HttpClient_does()
    {
        Redirects(_trusted, "/found", "/get", 302, "POST");
        Redirects(_trusted, "/temporary", "/post", 307, "POST");
        using var http = Client();

        await http.PostAsync(At(_trusted, "found"), new StringContent("x"));
        await http.PostAsync(At(_trusted, "temporary"), new StringContent("x"));

        Assert.Equal(
            [("POST /found", "x"), ("GET /get", ""), ("POST /temporary", "x"), ("POST /post", "x")],
            _trusted.Calls.Select(call => (call.Call, call.Body))
        );
    }

    [Fact]
    public async Task Redirects_that_go_round_end()
    {
        Redirects(_trusted, "/a", "/a", 302);
        using var http = Client();

        using var response = await http.GetAsync(At(_trusted, "a"));

        Assert.Equal(HttpStatusCode.Found, response.StatusCode);
        Assert.Equal(11, _trusted.Calls.Count);
    }

    [Fact]
    public async Task What_the_caller_keeps_never_held_the_secret()
    {
        using var http = Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, At(_trusted, "a"));

        using var response = await http.SendAsync(request);

        Assert.Same(request, response.RequestMessage);
        Assert.DoesNotContain("hunter2", $"{request} {response} {response.RequestMessage}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("client")]
    [InlineData("sockets")]
    [InlineData("below another")]
    public async Task A_handler_that_follows_redirects_itself_is_refused(string kind)
    {
        HttpMessageHandler inner = kind switch
        {
            "client" => new HttpClientHandler(),
            "sockets" => new SocketsHttpHandler(),
            _ => new Passes { InnerHandler = new SocketsHttpHandler() },
        };
        using var http = new HttpClient(
            new CredentialHandler(_trusted.Address, _ => new("hunter2")) { InnerHandler = inner }
        );

        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => http.GetAsync(At(_trusted, "a")));

        Assert.Contains("AllowAutoRedirect", fault.Message, StringComparison.Ordinal);
        Assert.Empty(_trusted.Calls);
    }

    [Fact]
    public async Task A_redirect_that_was_followed_out_of_sight_is_told()
    {
        Redirects(_trusted, "/a", "/b", 302);
        using var hidden = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        using var http = new HttpClient(
            new CredentialHandler(_trusted.Address, _ => new("hunter2")) { InnerHandler = new Hides(hidden) }
        );

        await Assert.ThrowsAsync<InvalidOperationException>(() => http.GetAsync(At(_trusted, "a")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("hunter2\r\nX-Evil: 1")]
    [InlineData("hunter2é")]
    public async Task A_secret_that_cannot_be_a_header_is_refused_and_not_quoted(string secret)
    {
        using var http = Client(() => secret);

        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => http.GetAsync(At(_trusted, "a")));

        Assert.DoesNotContain("hunter", fault.ToString(), StringComparison.Ordinal);
        Assert.Empty(_trusted.Calls);
    }

    [Theory]
    [InlineData("http://api.example")]
    [InlineData("ftp://127.0.0.1")]
    public void An_origin_that_would_get_the_secret_in_clear_is_refused(string origin) =>
        Assert.Throws<ArgumentException>(() => new CredentialHandler(new(origin), _ => new("hunter2")));

    private HttpClient Client(Func<string>? secret = null) =>
        new(
            new CredentialHandler(_trusted.Address, _ => new((secret ?? (() => "hunter2"))()))
            {
                InnerHandler = Sockets(),
            }
        );

    private static SocketsHttpHandler Sockets() =>
        new()
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
        };

    private static Uri At(StubBroker server, string path) => new(server.Address, path);

    private static IEnumerable<string> Seen(StubBroker server) => server.Calls.Select(call => call.Authorization);

    private static void Redirects(StubBroker server, string from, string to, int status, string method = "GET") =>
        server.On(
            $"{method} {from}",
            context =>
            {
                context.Response.StatusCode = status;
                context.Response.Headers.Location = to;
                return Task.CompletedTask;
            }
        );

    private sealed class Passes : DelegatingHandler;

    private sealed class Hides(HttpMessageInvoker inner) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        ) => inner.SendAsync(request, cancellationToken);
    }
}
