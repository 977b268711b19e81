using CredBroker.Core.Identity.Verification;

namespace CredBroker.Server.Identity;

/// <summary>A key document, read.</summary>
/// <param name="Keys">The usable keys.</param>
/// <param name="Skipped">Why entries were skipped.</param>
/// <param name="RefreshHint">How soon to look again, if the document says so.</param>
internal sealed record KeyDocument(VerificationKeys Keys, IReadOnlyList<string> Skipped, TimeSpan? RefreshHint)
{
    /// <summary>Reads a JWKS.</summary>
    public static KeyDocument FromJwks(ReadOnlyMemory<byte> utf8) =>
        JsonWebKeys.TryRead(utf8, out var jwks, out var fault)
            ? new KeyDocument(jwks.Keys, jwks.Skipped, null)
            : throw new KeyDocumentException($"the JWKS cannot be used: {fault}");
}
