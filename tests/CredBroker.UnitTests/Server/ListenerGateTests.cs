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
    public void A_call_gets_past_where_one_of_its_callers_is_served(
        string caller,
        bool servesAgents,
        bool servesPeople,
        bool passes
    ) =>
        Assert.Equal(
            passes ? null : "CB6010",
            ListenerGate.Check(Enum.Parse<Caller>(caller), new Listener(servesAgents, servesPeople, new()))?.CodeText
        );

    [Theory]
    [InlineData("Agent")]
    [InlineData("Person")]
    [InlineData("AgentOrPerson")]
    public void Where_no_listener_has_said_whom_it_serves_nobody_is(string caller) =>
        Assert.NotNull(ListenerGate.Check(Enum.Parse<Caller>(caller), Listener.Of(new DefaultHttpContext())));
}
