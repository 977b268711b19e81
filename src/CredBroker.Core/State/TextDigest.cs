using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace CredBroker.Core.State;

/// <summary>
/// SHA-256 of several texts as lower-case hex. JSON delimits them, so that no two different lists share a form.
/// </summary>
public static class TextDigest
{
    /// <summary>The digest of these, in this order.</summary>
    public static string Of(params string[] parts) =>
        Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(parts, StateJson.Default.StringArray)))
        );
}
