using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace CredBroker.Vault.Http;

/// <summary>Request bodies as bytes, so that a call can be sent again.</summary>
internal static class VaultBodies
{
    public static byte[] Of<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    /// <summary>Whole seconds, rounded up and at least one: Vault reads <c>0s</c> as its default of 32 days.</summary>
    public static string Ttl(TimeSpan ttl) => $"{Math.Max(1, (long)Math.Ceiling(ttl.TotalSeconds))}s";
}
