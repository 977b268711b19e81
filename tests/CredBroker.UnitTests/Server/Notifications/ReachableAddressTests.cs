using System.Net;
using CredBroker.Server.Notifications;

namespace CredBroker.UnitTests.Server.Notifications;

/// <summary>Which addresses notifications go to.</summary>
public sealed class ReachableAddressTests
{
    [Theory]
    [InlineData("93.184.216.34")]
    [InlineData("172.32.0.1")]
    [InlineData("100.128.0.1")]
    [InlineData("2606:2800:220:1:248:1893:25c8:1946")]
    [InlineData("::ffff:93.184.216.34")]
    public void Public_ones_may_be_called(string address) =>
        Assert.True(ReachableAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: false));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.0.9")]
    [InlineData("10.1.2.3")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.1.1")]
    [InlineData("100.64.0.1")]
    [InlineData("::1")]
    [InlineData("fd00::1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    public void Private_ones_only_where_that_is_allowed(string address)
    {
        Assert.False(ReachableAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: false));
        Assert.True(ReachableAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: true));
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("169.254.169.254")]
    [InlineData("192.0.0.192")]
    [InlineData("198.18.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::127.0.0.1")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    [InlineData("64:ff9b::a00:1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2001::7f00:1")]
    [InlineData("100.100.100.200")]
    [InlineData("168.63.129.16")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fd20:ce::254")]
    [InlineData("::ffff:100.100.100.200")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::ffff:0:169.254.169.254")]
    public void Link_local_ones_and_those_that_lead_elsewhere_never(string address)
    {
        Assert.False(ReachableAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: false));
        Assert.False(ReachableAddress.IsAllowed(IPAddress.Parse(address), allowPrivate: true));
    }
}
