using CredBroker.Core.Identity.Verification;

namespace CredBroker.Server.Identity.Keys;

/// <summary>A key document, read.</summary>
/// <param name="Anchors">What it gives to verify with.</param>
/// <param name="Skipped">Why entries were skipped.</param>
/// <param name="RefreshHint">How soon to look again, if the document says so.</param>
internal sealed record KeyDocument(TrustAnchors Anchors, IReadOnlyList<string> Skipped, TimeSpan? RefreshHint)
{
    /// <summary>Reads a JWKS.</summary>
    public static KeyDocument FromJwks(ReadOnlyMemory<byte> utf8) =>
        JsonWebKeys.TryRead(utf8, out var jwks, out var fault)
            ? new KeyDocument(jwks.Anchors, jwks.Skipped, null)
            : throw new KeyDocumentException($"the JWKS cannot be used: {fault}");
}
