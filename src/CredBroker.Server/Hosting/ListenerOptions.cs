using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace CredBroker.Server.Hosting;

/// <summary>Where the broker listens and how much it takes on at once. Bound from the section <c>Listen</c>.</summary>
public sealed record ListenerOptions
{
    /// <summary>
    /// The one address: <c>https://host:port</c>, the host an IP address, <c>localhost</c> or <c>*</c> for every
    /// interface. Port 0 takes a free one.
    /// </summary>
    public string Url { get; init; } = "https://127.0.0.1:8443";

    /// <summary>The server's certificate with its chain, PEM. Read again when the file changes.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>Its private key, PEM.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>Connections held open at once; more are not accepted.</summary>
    public int MaxConnections { get; init; } = 4096;

    /// <summary>Requests worked on at once; more are answered with CB6013 and <c>Retry-After</c>.</summary>
    public int MaxRequests { get; init; } = 1024;

    /// <summary>The parsed address; meaningful once validated.</summary>
    internal Uri Address =>
        TryReadUrl(out var address)
            ? address
            : throw new InvalidOperationException("The listener's settings were not validated.");

    /// <summary>Whether it listens on every interface.</summary>
    internal bool IsEverywhere => Url.Contains("://*", StringComparison.Ordinal);

    /// <summary>Every fault of these settings, with what to write instead; empty when there is none.</summary>
    public IEnumerable<string> Validate()
    {
        if (!TryReadUrl(out var uri))
        {
            yield return $"Listen:Url is \"{Url}\"; write https://ADDRESS:PORT "
                + "with an IP address, localhost or * as the host, such as \"https://*:8443\".";
        }
        else if (uri.Scheme == "http" && !uri.IsLoopback)
        {
            yield return $"Listen:Url is \"{Url}\": secrets would cross the network in clear. "
                + "Write https:// with CertificateFile and KeyFile, "
                + "or an http:// address of this machine alone, such as \"http://127.0.0.1:8200\".";
        }
        else if (uri.Scheme == "https" && (CertificateFile.Length == 0 || KeyFile.Length == 0))
        {
            yield return "Listen:CertificateFile and Listen:KeyFile are needed for an https:// address; "
                + "write the paths of two PEM files.";
        }

        foreach (var (name, file) in new[] { (nameof(CertificateFile), CertificateFile), (nameof(KeyFile), KeyFile) })
        {
            if (file.Length > 0 && !File.Exists(file))
            {
                yield return $"Listen:{name} is \"{file}\", which does not exist; write the path of a PEM file.";
            }
        }

        if (
            File.Exists(CertificateFile)
            && File.Exists(KeyFile)
            && ServerCertificate.Fault(CertificateFile, KeyFile) is { } unusable
        )
        {
            yield return $"Listen:CertificateFile and Listen:KeyFile do not make a server certificate: {unusable} "
                + "Write a certificate with its chain and its unencrypted private key, both PEM.";
        }

        foreach (
            var (name, value, high) in new[]
            {
                (nameof(MaxConnections), MaxConnections, 100_000),
                (nameof(MaxRequests), MaxRequests, 100_000),
            }
        )
        {
            if (value < 1 || value > high)
            {
                yield return $"Listen:{name} is {value}; write a number from 1 to {high}.";
            }
        }
    }

    private bool TryReadUrl([NotNullWhen(true)] out Uri? uri) =>
        Uri.TryCreate(Url.Replace("://*", "://0.0.0.0", StringComparison.Ordinal), UriKind.Absolute, out uri)
        && uri.Scheme is "http" or "https"
        && uri.PathAndQuery == "/"
        && uri.UserInfo.Length == 0
        && (uri.IsLoopback || IPAddress.TryParse(uri.Host.Trim('[', ']'), out _));
}
