using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using CredBroker.Cli.Output;

namespace CredBroker.Cli.Commands.Health;

/// <summary>Decodes a JWT without verifying it, to show a person what is in it.</summary>
internal static class TokenReading
{
    private static readonly string[] Times = ["exp", "nbf", "iat", "auth_time"];

    /// <summary>Null for what is no compact JWS with JSON objects inside.</summary>
    public static UnverifiedToken? Decode(string token, string source)
    {
        var parts = token.Split('.');
        return parts.Length == 3 && Object(parts[0]) is { } header && Object(parts[1]) is { } claims
            ? new(source, header, claims)
            : null;
    }

    /// <summary>A claim for the eye: times as times, everything else as its JSON.</summary>
    public static string Show(string name, JsonElement value, OutputFormat format, TimeProvider time) =>
        value switch
        {
            { ValueKind: JsonValueKind.Number } when Times.Contains(name) && Time(value) is { } moment => TimeText.Full(
                moment,
                format,
                time
            ),
            { ValueKind: JsonValueKind.String } => Shorten(value.GetString()!),
            _ => Shorten(value.GetRawText()),
        };

    /// <summary>The faults that need no key to be seen.</summary>
    public static DoctorCheck Check(UnverifiedToken token, TimeProvider time)
    {
        var now = time.GetUtcNow();
        string Claim(string name) =>
            token.Claims.TryGetValue(name, out var value) ? Show(name, value, OutputFormat.Plain, time) : "none";
        var found = $"iss {Claim("iss")}, sub {Claim("sub")}, aud {Claim("aud")}, ends {Claim("exp")}";
        return (Moment("exp"), Moment("nbf")) switch
        {
            (null, _) => Fault($"no end: {found}", "Use a token that expires; the broker takes no other."),
            ({ } ends, _) when ends <= now => Fault(
                $"expired: {found}",
                "Get a fresh token. If something renews its file, that has stopped."
            ),
            (_, { } begins) when begins > now => Fault(
                $"not valid yet: {found}",
                "Compare this machine's clock with the issuer's."
            ),
            _ when !token.Claims.ContainsKey("aud") => Fault(
                $"no audience: {found}",
                "Ask the issuer for a token whose audience is this broker."
            ),
            _ => new("token", true, found),
        };

        DateTimeOffset? Moment(string name) => token.Claims.TryGetValue(name, out var value) ? Time(value) : null;
        static DoctorCheck Fault(string found, string cure) => new("token", false, found, cure);
    }

    private static DateTimeOffset? Time(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var seconds)
        && seconds is > 0 and < 253_402_300_800
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : null;

    private static Dictionary<string, JsonElement>? Object(string part)
    {
        try
        {
            return JsonSerializer.Deserialize(
                Base64Url.DecodeFromChars(part),
                CliJson.Default.DictionaryStringJsonElement
            );
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            return null;
        }
    }

    private static string Shorten(string text) =>
        text.Length <= 200
            ? text
            : string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, 200)}… ({text.Length} characters)");
}
