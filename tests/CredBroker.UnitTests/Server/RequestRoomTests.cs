using CredBroker.Server.Hosting;

namespace CredBroker.UnitTests.Server;

/// <summary>Whose requests find room when others' have taken theirs.</summary>
public sealed class RequestRoomTests
{
    [Theory]
    [InlineData(1024, true, 64, 896, 960, 1024)]
    [InlineData(1024, false, 64, 1024, 1025, 1026)]
    [InlineData(8, true, 1, 7, 8, 9)]
    [InlineData(1, true, 1, 1, 2, 3)]
    public void Each_share_ends_where_the_next_ones_room_begins(
        int max,
        bool keepsRoomForPeople,
        int strangers,
        int agents,
        int readers,
        int orders
    )
    {
        var room = new RequestRoom(max, keepsRoomForPeople);
        var taken = 0;
        foreach (
            var (share, limit) in new[]
            {
                (RequestShare.Strangers, strangers),
                (RequestShare.Agents, agents),
                (RequestShare.Readers, readers),
                (RequestShare.Orders, orders),
            }
        )
        {
            while (room.TryEnter(share))
            {
                taken++;
            }

            Assert.Equal(limit, taken);
        }
    }

    [Fact]
    public void A_place_given_back_is_free_for_those_who_had_it_and_no_others()
    {
        var room = new RequestRoom(8, keepsRoomForPeople: true);
        while (room.TryEnter(RequestShare.Agents)) { }

        Assert.True(room.TryEnter(RequestShare.Orders));
        room.Leave(RequestShare.Orders);
        Assert.False(room.TryEnter(RequestShare.Agents));
        Assert.True(room.TryEnter(RequestShare.Orders));

        room.Leave(RequestShare.Agents);
        Assert.True(room.TryEnter(RequestShare.Agents));
        Assert.False(room.TryEnter(RequestShare.Strangers));
    }
}
