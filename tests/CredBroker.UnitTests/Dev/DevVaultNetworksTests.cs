using System.Net;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.UnitTests.Dev;

public sealed class DevVaultNetworksTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.0.1", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("10.1.2.3/8", "10.255.0.1", true)]
    [InlineData("127.0.0.1/32", "127.0.0.1", true)]
    [InlineData("127.0.0.1/32", "127.0.0.2", false)]
    [InlineData("127.0.0.1/32", "::ffff:127.0.0.1", true)]
    [InlineData("0.0.0.0/0", "1.2.3.4", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    [InlineData("2001:db8::1/33", "2001:db8::ffff", true)]
    [InlineData("2001:db8::/33", "2001:db8:8000::1", false)]
    public void A_network_holds_the_addresses_of_its_prefix(string network, string address, bool expected) =>
        Assert.Equal(expected, DevVaultNetworks.Contain([network], IPAddress.Parse(address)));

    [Theory]
    [InlineData("10.0.0.0/8", "10.1.0.0/16", true)]
    [InlineData("10.0.0.0/8", "10.0.0.0/8", true)]
    [InlineData("10.1.0.0/16", "10.0.0.0/8", false)]
    [InlineData("10.0.0.0/8", "0.0.0.0/0", false)]
    public void A_network_lies_within_another_or_not(string outer, string inner, bool expected) =>
        Assert.Equal(expected, DevVaultNetworks.Contain([outer], [inner]));

    [Theory]
    [InlineData("10/8")]
    [InlineData("127.0.0.1")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("010.0.0.0/8")]
    [InlineData("::/129")]
    [InlineData("a/8")]
    [InlineData("/")]
    public void What_is_no_network_is_found(string text) =>
        Assert.Equal(text, DevVaultNetworks.FirstInvalid(["10.0.0.0/8", text]));

    [Fact]
    public void One_address_is_shown_without_its_prefix_and_may_be_given_so()
    {
        Assert.Equal(
            ["127.0.0.1/32", "::1/128", "10.0.0.0/8"],
            DevVaultNetworks.Spelt(["127.0.0.1", "::1", "10.0.0.0/8"])
        );
        Assert.Equal(
            ["127.0.0.1", "::1", "10.0.0.0/8"],
            DevVaultNetworks.Shown(["127.0.0.1/32", "::1/128", "10.0.0.0/8"])
        );
    }
}
