using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>Writes and reads a <see cref="TimeSpan"/> in the form of <see cref="WireDuration"/>.</summary>
public sealed class WireDurationConverter : JsonConverter<TimeSpan>
{
    /// <inheritdoc/>
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && WireDuration.TryParse(reader.GetString(), out var duration)
            ? duration
            : throw new JsonException(
                """A duration is a positive whole number and s, m or h, such as "90s", "10m" or "2h"."""
            );

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
        writer.WriteStringValue(WireDuration.Format(value));
}
