using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Hosting;
using Microsoft.AspNetCore.Http;

namespace CredBroker.UnitTests.Server;

/// <summary>Which calls get past the gate, at which listener.</summary>
public sealed class ListenerGateTests
{
    [Theory]
    [InlineData("Agent", true, true, true)]
    [InlineData("Agent", true, false, true)]
    [InlineData("Agent", false, true, false)]
    [InlineData("Agent", false, false, false)]
    [InlineData("Person", true, true, true)]
    [InlineData("Person", true, false, false)]
    [InlineData("Person", false, true, true)]
    [InlineData("Person", false, false, false)]
    [InlineData("AgentOrPerson", true, false, true)]
    [InlineData("AgentOrPerson", false, true, true)]
    [InlineData("AgentOrPerson", false, false, false)]
    [InlineData("Anyone", false, false, true)]
    public async Task A_call_gets_past_where_one_of_its_callers_is_served(
        string caller,
        bool servesAgents,
        bool servesPeople,
        bool passes
    )
    {
        var (isPast, http) = (false, Call(Enum.Parse<Caller>(caller)));
        http.Features.Set(new Listener(servesAgents, servesPeople));

        await GateAsync(http, () => isPast = true);

        Assert.Equal(passes, isPast);
        Assert.Equal(passes ? 200 : 404, http.Response.StatusCode);
    }

    [Theory]
    [InlineData("Agent")]
    [InlineData("Person")]
    [InlineData("AgentOrPerson")]
    public async Task Where_no_listener_has_said_whom_it_serves_nobody_is(string caller)
    {
        var (isPast, http) = (false, Call(Enum.Parse<Caller>(caller)));

        await GateAsync(http, () => isPast = true);

        Assert.False(isPast);
    }

    private static DefaultHttpContext Call(Caller caller)
    {
        var http = new DefaultHttpContext();
        http.SetEndpoint(new Endpoint(null, new(new CalledBy(caller)), caller.ToString()));
        return http;
    }

    private static Task GateAsync(HttpContext http, Action past) =>
        new ListenerGate(_ =>
        {
            past();
            return Task.CompletedTask;
        }).InvokeAsync(http);
}
