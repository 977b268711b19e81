using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace CredBroker.Core.Identity.Verification;

/// <summary>What stands for a token in the audit trail and in the cache.</summary>
internal static class TokenHash
{
    /// <summary>SHA-256 as base64url.</summary>
    public static string Of(string token)
    {
        // A token is hashed each time that it comes; its bytes are not worth an array of their own, and are wiped.
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(token.Length));
        var written = Encoding.UTF8.GetBytes(token, bytes);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes.AsSpan(0, written), digest);
        bytes.AsSpan(0, written).Clear();
        ArrayPool<byte>.Shared.Return(bytes);
        return Base64Url.EncodeToString(digest);
    }
}
