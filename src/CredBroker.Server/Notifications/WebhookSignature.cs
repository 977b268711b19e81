using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CredBroker.Server.Notifications;

/// <summary>
/// How a message is signed: Standard Webhooks' symmetric scheme, <c>v1</c>, an HMAC-SHA256 over
/// <c>id.timestamp.body</c>.
/// </summary>
internal static class WebhookSignature
{
    private const string Prefix = "whsec_";
    private const int MaxFileBytes = 4096;

    /// <summary>
    /// The keys in a file: one, or two while one takes over from the other. Throws <see cref="NotificationException"/>,
    /// <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.
    /// </summary>
    public static IReadOnlyList<byte[]> ReadSecrets(string file)
    {
        var lines = NotificationTarget.ReadText(file, MaxFileBytes).Split('\n', StringSplitOptions.TrimEntries);
        var keys = lines.Where(line => line.Length > 0).Select(Key).ToList();
        return keys.Count is 1 or 2 && keys.All(key => key.Length is >= 24 and <= 64)
            ? keys
            : throw new NotificationException(
                $"the file must hold one or two lines with {Prefix} and 24 to 64 random bytes in base64"
            );

        static byte[] Key(string line)
        {
            var key = new byte[line.Length];
            return
                line.StartsWith(Prefix, StringComparison.Ordinal)
                && Convert.TryFromBase64String(line[Prefix.Length..], key, out var length)
                ? key[..length]
                : [];
        }
    }

    /// <summary>The header's value: a signature by each key, so that a receiver needs only one of them.</summary>
    public static string Of(IReadOnlyList<byte[]> keys, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        byte[] signed = [.. head, .. body];
        return string.Join(' ', keys.Select(key => $"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, signed))}"));
    }
}
