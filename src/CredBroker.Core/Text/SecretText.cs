using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Core.Text;

/// <summary>
/// A secret value. It prints as <c>[redacted]</c>, cannot be serialized by accident, and gives its text only to a
/// caller that asks for it by name: the wire mapping at the edge and the Vault client's request.
/// </summary>
[JsonConverter(typeof(RefusingConverter))]
public sealed class SecretText(string value)
{
    private readonly string _value = value ?? throw new ArgumentNullException(nameof(value));

    /// <summary>The secret itself. Every call site is a place to review.</summary>
    public string Reveal() => _value;

    /// <inheritdoc/>
    public override string ToString() => "[redacted]";

    private sealed class RefusingConverter : JsonConverter<SecretText>
    {
        public override SecretText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("A secret is never read by a serializer.");

        public override void Write(Utf8JsonWriter writer, SecretText value, JsonSerializerOptions options) =>
            throw new NotSupportedException("A secret is never written by a serializer.");
    }
}
