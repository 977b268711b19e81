using System.Diagnostics;
using System.Net;
using CredBroker.Core.Requests;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>What the broker notes of a call, whoever makes it.</summary>
internal static class RequestOrigin
{
    /// <summary>The W3C trace id: in the problem, the log and the audit event alike.</summary>
    public static string? TraceId(HttpContext http) => Activity.Current?.TraceId.ToHexString() ?? http.TraceIdentifier;

    /// <summary>Where the call came from. No forwarded header is believed: anyone could write it.</summary>
    public static CallContext Of(HttpContext http) => new(TraceId(http), Source(http.Connection.RemoteIpAddress));

    private static string Source(IPAddress? address)
    {
        if (address is null)
        {
            return "unknown";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4().ToString();
        }

        // One host commands a whole /64: counted one by one its addresses would be unlimited sources.
        return
            address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && !IPAddress.IsLoopback(address)
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
