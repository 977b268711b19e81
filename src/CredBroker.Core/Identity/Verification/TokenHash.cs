using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace CredBroker.Core.Identity.Verification;

/// <summary>What stands for a token in the audit trail and in the cache.</summary>
internal static class TokenHash
{
    /// <summary>SHA-256 as base64url.</summary>
    public static string Of(string token) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
