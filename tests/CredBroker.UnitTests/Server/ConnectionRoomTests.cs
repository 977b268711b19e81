using System.Net;
using CredBroker.Server.Hosting;
using Microsoft.AspNetCore.Connections;

namespace CredBroker.UnitTests.Server;

/// <summary>Which connection is cut when there are too many.</summary>
public sealed class ConnectionRoomTests
{
    private readonly Listener _listener = new(servesAgents: true, servesPeople: true, new());
    private readonly ConnectionRoom _room = new(max: 4, maxPerAddress: 3);
    private readonly List<Connection> _connections = [];

    private IEnumerable<int> Cut => _connections.Index().Where(c => c.Item.IsCut).Select(c => c.Index);

    [Fact]
    public void An_address_that_has_its_share_loses_its_longest_idle_connection()
    {
        var first = Admit("10.0.0.1");
        Admit("10.0.0.1");
        Admit("10.0.0.1");
        AnswerOne(first);

        Assert.NotNull(Admit("10.0.0.1"));

        Assert.Equal([1], Cut);
    }

    [Fact]
    public void Where_all_are_taken_the_address_that_holds_most_makes_room()
    {
        Admit("10.0.0.2");
        Admit("10.0.0.1");
        Admit("10.0.0.1");
        Admit("10.0.0.1");

        Assert.NotNull(Admit("10.0.0.3"));

        Assert.Equal([1], Cut);
    }

    [Fact]
    public void Of_addresses_that_hold_as_many_the_one_that_is_idle_longest_makes_room()
    {
        for (var i = 1; i <= 6; i++)
        {
            Assert.NotNull(Admit($"10.0.0.{i}"));
        }

        Assert.Equal([0, 1], Cut);
    }

    [Fact]
    public void A_connection_at_work_is_never_cut()
    {
        for (var i = 0; i < 3; i++)
        {
            _room.Begin(Admit("10.0.0.1")!);
        }

        Assert.Null(Admit("10.0.0.1"));
        var idle = Admit("10.0.0.2");
        Assert.NotNull(Admit("10.0.0.3"));
        Assert.Equal([4], Cut);
        Assert.True(idle!.IsGone);
    }

    [Fact]
    public void Two_requests_of_one_connection_keep_it_at_work_until_both_are_answered()
    {
        var one = Admit("10.0.0.1")!;
        _room.Begin(one);
        _room.Begin(one);
        _room.End(one);
        Assert.Empty(one.Peer.Idle);
        _room.End(one);
        Assert.Single(one.Peer.Idle);
    }

    [Fact]
    public void One_that_is_closed_or_cut_counts_no_more_and_once()
    {
        var one = Admit("10.0.0.1")!;
        _room.Begin(one);
        _room.Leave(one);
        _room.End(one);
        _room.Leave(one);
        for (var i = 0; i < 3; i++)
        {
            Admit("10.0.0.1");
        }

        Assert.Empty(Cut);
        Admit("10.0.0.1");
        Assert.Single(Cut);
    }

    [Fact]
    public void The_addresses_of_one_IPv6_host_are_one_and_a_mapped_one_is_its_IPv4_address()
    {
        Assert.Equal(Of("2001:db8::1"), Of("2001:db8::ffff"));
        Assert.NotEqual(Of("2001:db8::1"), Of("2001:db8:0:1::1"));
        Assert.Equal(Of("10.0.0.1"), Of("::ffff:10.0.0.1"));

        static string Of(string address) => RemoteAddress.Of(IPAddress.Parse(address));
    }

    private OpenConnection? Admit(string address)
    {
        var connection = new Connection { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 1) };
        _connections.Add(connection);
        return _room.Admit(connection, _listener);
    }

    private void AnswerOne(OpenConnection? open)
    {
        _room.Begin(open!);
        _room.End(open!);
    }

    private sealed class Connection : DefaultConnectionContext
    {
        public bool IsCut { get; private set; }

        public override void Abort(ConnectionAbortedException abortReason) => IsCut = true;
    }
}
