using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace CredBroker.Core.Policy.Document;

/// <summary>
/// The identity of a document's content: SHA-256 over its text and its schemas by name, each preceded by its length, so
/// that nothing can slide from one into the next.
/// </summary>
internal static class PolicyHash
{
    public static string Of(PolicyDocument document)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(document.Text);
        foreach (var (name, text) in document.Schemas.OrderBy(schema => schema.Key, StringComparer.Ordinal))
        {
            Add(name);
            Add(text);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }
    }
}
