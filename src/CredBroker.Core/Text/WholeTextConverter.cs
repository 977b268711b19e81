using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Core.Text;

/// <summary>
/// Writes text, and refuses what is no Unicode: the serializer would put the same mark in place of each half of a
/// surrogate pair, and two texts would become one.
/// </summary>
internal sealed class WholeTextConverter : JsonConverter<string>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetString();

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Checked(value));

    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WritePropertyName(Checked(value));

    private static string Checked(string text) =>
        UnicodeText.IsValid(text) ? text : throw new ArgumentException("A text is no Unicode.", nameof(text));
}
