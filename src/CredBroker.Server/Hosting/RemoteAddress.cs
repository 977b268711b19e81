using System.Net;
using System.Net.Sockets;

namespace CredBroker.Server.Hosting;

/// <summary>The address that a caller is counted by.</summary>
internal static class RemoteAddress
{
    /// <summary>The address as text; for IPv6 its /64, since one host commands all of that.</summary>
    public static string Of(IPAddress? address)
    {
        if (address is null)
        {
            return "unknown";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4().ToString();
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6 && !IPAddress.IsLoopback(address)
            ? new IPNetwork(Prefix(address), 64).ToString()
            : address.ToString();
    }

    private static IPAddress Prefix(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
