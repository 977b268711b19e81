using System.Buffers;
using System.Text.RegularExpressions;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;

namespace CredBroker.Vault.Engines;

/// <summary>
/// A certificate's names, rendered from templates over the verified identity alone (<c>{{identity.spiffeId}}</c>),
/// never from the CSR. A field that is empty, or not one segment (in a host name: not one label), gives no names at
/// all: the request is refused before anything is made. So a value can neither add a segment nor read as two names.
/// </summary>
internal sealed partial record RenderedNames(string? Uri, string? Dns, string? CommonName)
{
    private const int MaxLength = 2048;
    private const int MaxCommonName = 64;

    /// <summary>What a distinguished name's text form would read otherwise.</summary>
    private static readonly SearchValues<char> NotInCommonName = SearchValues.Create(",+\"\\<>;=#");

    private enum Kind
    {
        Uri,
        Host,
        CommonName,
    }

    /// <summary>The rendered names, or null where they would be empty or unfit for this identity.</summary>
    public static RenderedNames? Render(CertificateNames? names, WorkloadIdentity identity)
    {
        if (names is null or { Uri: null, Dns: null, CommonName: null })
        {
            return null;
        }

        var rendered = new RenderedNames(
            Render(names.Uri, Kind.Uri, identity),
            Render(names.Dns, Kind.Host, identity),
            Render(names.CommonName, Kind.CommonName, identity)
        );
        var isFit =
            (names.Uri is null || IsUri(rendered.Uri))
            && (names.Dns is null || IsHostName(rendered.Dns))
            && (names.CommonName is null || IsCommonName(rendered.CommonName));
        return isFit ? rendered : null;
    }

    private static string? Render(string? template, Kind kind, WorkloadIdentity identity)
    {
        if (template is null)
        {
            return null;
        }

        var isWhole = true;
        var text = Placeholder()
            .Replace(
                template,
                match =>
                {
                    var (field, alone) = (match.Groups["field"].Value, match.Length == template.Length);
                    var value = Field(field, identity);
                    isWhole &= value.Length > 0 && IsFit(field, value, kind, alone);
                    return value;
                }
            );

        // A brace that is left is a placeholder that was not one.
        return isWhole && text.AsSpan().IndexOfAny('{', '}') < 0 ? text : null;
    }

    // A SPIFFE ID is a name of its own making, verified as a whole; a trust domain is one in a host name.
    private static bool IsFit(string field, string value, Kind kind, bool alone) =>
        (field, kind) switch
        {
            ("spiffeId", not Kind.Host) => alone,
            ("trustDomain", Kind.Host) => IsHostName(value),
            (_, Kind.Host) => IsHostName(value) && !value.Contains('.', StringComparison.Ordinal),
            _ => Core.Identity.SpiffeId.IsSegment(value),
        };

    private static string Field(string field, WorkloadIdentity identity) =>
        field switch
        {
            "spiffeId" => identity.SpiffeId,
            "subject" => identity.Subject,
            "workload" => identity.Workload,
            "instance" => identity.Instance,
            "trustDomain" => identity.TrustDomain,
            "issuer" => identity.Issuer,
            _ => "",
        };

    /// <summary>An absolute URI of visible ASCII without a comma, exactly as it was written.</summary>
    private static bool IsUri(string? text) =>
        text is { Length: > 0 and <= MaxLength }
        && !text.AsSpan().ContainsAnyExceptInRange('!', '~')
        && !text.Contains(',', StringComparison.Ordinal)
        && System.Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && string.Equals(uri.OriginalString, text, StringComparison.Ordinal);

    private static bool IsHostName(string? text) => text is { Length: > 0 and <= 253 } && HostName().IsMatch(text);

    private static bool IsCommonName(string? text) =>
        text is { Length: > 0 and <= MaxCommonName }
        && !text.AsSpan().ContainsAnyExceptInRange('!', '~')
        && !text.AsSpan().ContainsAny(NotInCommonName);

    [GeneratedRegex(@"\{\{\s*identity\.(?<field>[A-Za-z]+)\s*\}\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();

    [GeneratedRegex(
        @"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex HostName();
}
