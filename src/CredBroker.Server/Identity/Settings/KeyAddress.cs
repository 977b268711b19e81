using System.Diagnostics.CodeAnalysis;

namespace CredBroker.Server.Identity.Settings;

/// <summary>Which addresses keys may be fetched from.</summary>
internal static class KeyAddress
{
    /// <summary>
    /// An https address, or, where <paramref name="devMode"/> permits it, http on loopback; without user or fragment.
    /// </summary>
    public static bool TryParse(string text, bool devMode, [NotNullWhen(true)] out Uri? address) =>
        Uri.TryCreate(text, UriKind.Absolute, out address)
        && (
            address.Scheme == Uri.UriSchemeHttps
            || (devMode && address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)
        )
        && address.UserInfo.Length == 0
        && address.Fragment.Length == 0;

    /// <summary>
    /// Whether two addresses lead to the same server, so that one's bearer token may be sent to the other.
    /// </summary>
    public static bool IsSameOrigin(Uri one, Uri other) =>
        one.Scheme == other.Scheme
        && string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase)
        && one.Port == other.Port;
}
