using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace CredBroker.Server.Hosting;

/// <summary>One listener: its address and, for https, its certificate.</summary>
public sealed record ListenerAddressOptions
{
    /// <summary>
    /// The address: <c>https://host:port</c>, the host an IP address, <c>localhost</c> or <c>*</c> for every interface.
    /// Port 0 takes a free one.
    /// </summary>
    public string Url { get; init; } = "";

    /// <summary>The server's certificate with its chain, PEM. Read again when the file changes.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>Its private key, PEM.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>The parsed address; meaningful once validated.</summary>
    internal Uri Address =>
        TryReadUrl(out var address)
            ? address
            : throw new InvalidOperationException("The listener's settings were not validated.");

    /// <summary>Whether it listens on every interface.</summary>
    internal bool IsEverywhere => Url.Contains("://*", StringComparison.Ordinal);

    /// <summary>Every fault of this listener, with what to write instead.</summary>
    /// <param name="name">The listener's place in the settings, such as <c>Listen:Agents</c>.</param>
    internal IEnumerable<string> Validate(string name)
    {
        if (!TryReadUrl(out var uri))
        {
            yield return $"{name}:Url is \"{Url}\"; write https://ADDRESS:PORT with an IP address, localhost or * as the host, such as \"https://*:8443\".";
        }
        else if (uri.Scheme == "http" && !uri.IsLoopback)
        {
            yield return $"{name}:Url is \"{Url}\": secrets would cross the network in clear. "
                + "Write https:// with CertificateFile and KeyFile, or an http:// address of this machine alone, such as \"http://127.0.0.1:8200\".";
        }
        else if (uri.Scheme == "https" && (CertificateFile.Length == 0 || KeyFile.Length == 0))
        {
            yield return $"{name}:CertificateFile and {name}:KeyFile are needed for an https:// address; write the paths of two PEM files.";
        }

        foreach (
            var (setting, file) in new[] { (nameof(CertificateFile), CertificateFile), (nameof(KeyFile), KeyFile) }
        )
        {
            if (file.Length > 0 && !File.Exists(file))
            {
                yield return $"{name}:{setting} is \"{file}\", which does not exist; write the path of a PEM file.";
            }
        }

        if (
            File.Exists(CertificateFile)
            && File.Exists(KeyFile)
            && ServerCertificate.Fault(CertificateFile, KeyFile) is { } unusable
        )
        {
            yield return $"{name}:CertificateFile and {name}:KeyFile do not make a server certificate: {unusable} "
                + "Write a certificate with its chain and its unencrypted private key, both PEM.";
        }
    }

    /// <summary>Whether a connection to one of the two addresses could as well have been meant for the other.</summary>
    internal bool Overlaps(ListenerAddressOptions other)
    {
        if (!TryReadUrl(out var here) || !other.TryReadUrl(out var there) || here.Port != there.Port || here.Port == 0)
        {
            return false;
        }

        return IsAny(here)
            || IsAny(there)
            || here.Host == there.Host
            || (here.IsLoopback && there.IsLoopback && (here.Host == "localhost" || there.Host == "localhost"));

        static bool IsAny(Uri uri) => uri.Host.Trim('[', ']') is "0.0.0.0" or "::";
    }

    private bool TryReadUrl([NotNullWhen(true)] out Uri? uri) =>
        Uri.TryCreate(Url.Replace("://*", "://0.0.0.0", StringComparison.Ordinal), UriKind.Absolute, out uri)
        && uri.Scheme is "http" or "https"
        && uri.PathAndQuery == "/"
        && uri.UserInfo.Length == 0
        && (uri.IsLoopback || IPAddress.TryParse(uri.Host.Trim('[', ']'), out _));
}
