using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace CredBroker.Core.Identity;

/// <summary>
/// A SPIFFE ID (SPIFFE-ID §2), compared exactly as written: nothing is normalised, so that no two spellings are the
/// same identity.
/// </summary>
public sealed record SpiffeId
{
    /// <summary>
    /// The longest SPIFFE ID that is accepted, in bytes (SPIFFE-ID §2.3 asks for at least this; we accept no more).
    /// </summary>
    public const int MaxLength = 2048;

    /// <summary>The longest trust domain name, in bytes.</summary>
    public const int MaxTrustDomainLength = 255;

    private const string Scheme = "spiffe://";

    private static readonly SearchValues<char> TrustDomainCharacters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyz0123456789._-"
    );
    private static readonly SearchValues<char> SegmentCharacters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
    );

    private SpiffeId(string text, int pathStart)
    {
        Text = text;
        TrustDomain = text[Scheme.Length..pathStart];
        Path = text[pathStart..];
    }

    /// <summary>The whole identifier.</summary>
    public string Text { get; }

    /// <summary>The trust domain's name.</summary>
    public string TrustDomain { get; }

    /// <summary>The path with its leading slash; empty for the identifier of the trust domain itself.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Reads a SPIFFE ID; <paramref name="fault"/> says what is wrong without repeating the text.</summary>
    public static bool TryParse(
        string text,
        [NotNullWhen(true)] out SpiffeId? id,
        [NotNullWhen(false)] out string? fault
    )
    {
        id = null;
        fault = Fault(text, out var pathStart);
        if (fault is not null)
        {
            return false;
        }

        id = new SpiffeId(text, pathStart);
        return true;
    }

    /// <summary>Whether the text is a trust domain's name.</summary>
    public static bool IsTrustDomain(ReadOnlySpan<char> name) =>
        name.Length is > 0 and <= MaxTrustDomainLength && !name.ContainsAnyExcept(TrustDomainCharacters);

    /// <summary>Whether the text is one segment of a path.</summary>
    public static bool IsSegment(ReadOnlySpan<char> segment) =>
        segment is not ("" or "." or "..") && !segment.ContainsAnyExcept(SegmentCharacters);

    private static string? Fault(string text, out int pathStart)
    {
        pathStart = 0;
        if (Encoding.UTF8.GetByteCount(text) > MaxLength)
        {
            return $"it is longer than {MaxLength} bytes";
        }

        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return "it does not begin with spiffe:// in lower case";
        }

        var rest = text.AsSpan(Scheme.Length);
        var slash = rest.IndexOf('/');
        var trustDomain = slash < 0 ? rest : rest[..slash];
        if (!IsTrustDomain(trustDomain))
        {
            return "its trust domain is not 1 to 255 of a-z, 0-9, '.', '_' and '-'";
        }

        pathStart = Scheme.Length + trustDomain.Length;
        if (slash < 0)
        {
            return null;
        }

        var path = rest[(slash + 1)..];
        foreach (var segment in path.Split('/'))
        {
            if (!IsSegment(path[segment]))
            {
                return "a path segment is empty, '.', '..' or has a character other "
                    + "than letters, digits, '.', '_' and '-'";
            }
        }

        return null;
    }
}
