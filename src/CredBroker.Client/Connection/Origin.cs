namespace CredBroker.Client;

/// <summary>Scheme, host and port: what decides whether a secret may travel somewhere (RFC 6454).</summary>
internal static class Origin
{
    /// <summary>Whether what is sent there is protected on its way: https, or http that stays on this machine.</summary>
    public static bool IsProtected(Uri address) =>
        address.IsAbsoluteUri
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback));

    /// <summary>Whether two addresses are of one origin.</summary>
    public static bool AreSame(Uri one, Uri other) =>
        one.Scheme == other.Scheme
        && one.Port == other.Port
        && string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase);
}
