using System.Text.Json;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// A token whose signature, issuer, audience and times hold. Only <see cref="TokenSignature"/> makes one, so that rules
/// can read an identity from nothing else.
/// </summary>
public sealed class VerifiedToken
{
    internal VerifiedToken(CompactJws token, TokenWindow window, TrustAnchors anchors)
    {
        Claims = token.Claims;
        Window = window;
        Anchors = anchors;
        Hash = TokenHash.Of(token.Text);
    }

    /// <summary>The claims; valid until the token that was read is disposed.</summary>
    public JsonElement Claims { get; }

    /// <summary>When it is valid.</summary>
    public TokenWindow Window { get; }

    /// <summary>SHA-256 of the token as base64url: what is recorded instead of it.</summary>
    public string Hash { get; }

    /// <summary>What it was verified with.</summary>
    internal TrustAnchors Anchors { get; }
}
