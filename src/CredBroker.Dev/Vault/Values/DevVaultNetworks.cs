using System.Globalization;
using System.Net;

namespace CredBroker.Dev.Vault.Values;

/// <summary>Networks as Vault's settings name them: <c>10.0.0.0/8</c>, <c>::1/128</c>.</summary>
internal static class DevVaultNetworks
{
    /// <summary>The first that names no network; null where all do.</summary>
    public static string? FirstInvalid(IEnumerable<string> networks) =>
        networks.FirstOrDefault(network => Parse(network) is null);

    /// <summary>
    /// The networks that tokens are bound to, as Vault writes them: one address stands without the length of its prefix.
    /// </summary>
    public static IEnumerable<string> Shown(IEnumerable<string> networks) =>
        networks.Select(network => Parse(network) is { } one && IsAddress(one) ? one.BaseAddress.ToString() : network);

    /// <summary>The same with that length, which a single address may lack here.</summary>
    public static IReadOnlyList<string> Spelt(IEnumerable<string> networks) =>
        [
            .. networks.Select(network =>
                (
                    network.Contains('/', StringComparison.Ordinal),
                    network.Contains(':', StringComparison.Ordinal)
                ) switch
                {
                    (true, _) => network,
                    (false, true) => network + "/128",
                    (false, false) => network + "/32",
                }
            ),
        ];

    /// <summary>Whether one of the networks holds the address.</summary>
    public static bool Contain(IEnumerable<string> networks, IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return networks.Any(network => Parse(network)?.Contains(plain) is true);
    }

    /// <summary>Whether each of the inner networks lies within one of the outer.</summary>
    public static bool Contain(IReadOnlyList<string> outer, IEnumerable<string> inner) =>
        inner
            .Select(Parse)
            .OfType<IPNetwork>()
            .All(small =>
                outer
                    .Select(Parse)
                    .OfType<IPNetwork>()
                    .Any(large => large.PrefixLength <= small.PrefixLength && large.Contains(small.BaseAddress))
            );

    private static bool IsAddress(IPNetwork network) =>
        network.PrefixLength == network.BaseAddress.GetAddressBytes().Length * 8;

    /// <summary>The address may have bits beyond the prefix, which do not count.</summary>
    private static IPNetwork? Parse(string text)
    {
        if (
            text.Split('/') is not [var name, var length]
            || !IPAddress.TryParse(name, out var address)
            || (!name.Contains(':', StringComparison.Ordinal) && address.ToString() != name)
            || !int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bits)
        )
        {
            return null;
        }

        var bytes = address.GetAddressBytes();
        if (bits > bytes.Length * 8)
        {
            return null;
        }

        for (var at = bits; at < bytes.Length * 8; at++)
        {
            bytes[at / 8] &= (byte)~(0x80 >> (at % 8));
        }

        return new IPNetwork(new IPAddress(bytes), bits);
    }
}
